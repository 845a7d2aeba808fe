/**
 * Goal: the last word of a command reaches a client that is still sending: its writing must not fail
 * before it has read. Method: a real socket, and a command that ends at once.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { listen } from '../../../src/api/socket.ts';
import type { ExecSession } from '../../../src/engine/service.ts';
import {
  EXEC_MEDIA_TYPE,
  FRAME,
  FrameDecoder,
  frameBytes,
  jsonFrame,
} from '../../../src/protocol/exec-frames.ts';
import { QUIET_LOGGER } from '../../support/fake-daemon.ts';
import { FakeService } from '../../support/fake-service.ts';

class EndsAtOnce extends FakeService {
  override async exec(): Promise<never> {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    stdin.resume();
    stdout.end();
    stderr.end();
    const session = { stdin, stdout, stderr, ended: Promise.resolve(7) };
    return { ...session, close: () => {}, resize: () => {}, signal: () => {} } satisfies Pick<
      ExecSession,
      'stdin' | 'stdout' | 'stderr' | 'ended' | 'close' | 'resize' | 'signal'
    > as never;
  }
}

it('the connection stays open after the last frame until the client leaves', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'towline-exec-'));
  const socketPath = join(directory, 's');
  const specDefaults = () => ({});
  const service = new EndsAtOnce();
  const api = createApi({ service, logger: QUIET_LOGGER, version: '1', specDefaults });
  await listen(api, socketPath);
  try {
    const headers = { 'content-type': EXEC_MEDIA_TYPE };
    const sending = request({ socketPath, path: '/v1/tasks/t/exec', method: 'POST', headers });
    sending.write(jsonFrame(FRAME.start, { command: ['true'] }));
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    const decoder = new FrameDecoder();
    const last = Promise.withResolvers<number>();
    answer.on('data', (chunk: Buffer) => {
      for (const { type } of decoder.feed(chunk)) if (type === FRAME.exit) last.resolve(type);
    });
    await last.promise;
    // the daemon has had its turn many times
    for (let asked = 0; asked < 5; asked += 1) await api.inject('/v1/health');
    expect(answer.complete).toBe(false);
    sending.end(frameBytes(FRAME.stdinEnd));
    await once(answer, 'end');
    expect(answer.complete).toBe(true);
  } finally {
    await api.close();
    rmSync(directory, { recursive: true });
  }
});
