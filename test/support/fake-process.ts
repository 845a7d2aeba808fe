/** A process of a fake host: what it says on stdout, and how it ends. */
import { PassThrough, Readable } from 'node:stream';
import { AppError } from '../../src/domain/failure.ts';
import type { RemoteProcess } from '../../src/remote/host.ts';
import type { Call, FakeHost } from './fake-host.ts';

export function fakeProcess(
  stdout: Iterable<Buffer> | AsyncIterable<Buffer>,
  end: number | 'the link is lost' = 0,
): RemoteProcess {
  const out = Readable.from(stdout, { objectMode: false });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  ended.catch(() => {});
  out.once('close', () => {
    if (end === 'the link is lost') reject(new AppError('SSH_CONNECTION_LOST', 'the link broke'));
    else resolve(end);
  });
  return {
    stdin: new PassThrough(),
    stdout: out,
    stderr: Readable.from([]),
    ended,
    resize: () => {},
    close: () => {
      reject(new AppError('HOST_CALL_ABORTED', 'let go'));
      out.destroy();
    },
  };
}

/** The files that a text of script/send-files.ts names, as this host has them. */
export function filesNamed(host: FakeHost, { script }: Pick<Call, 'script'>): Buffer[] {
  const named = [...script.matchAll(/'(\/[^']*)'/g)].map(([, path = '']) => path);
  return named.map((path) => host.files.get(path) ?? Buffer.alloc(0));
}
