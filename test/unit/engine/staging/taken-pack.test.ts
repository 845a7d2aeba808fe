/**
 * Goal: small files of another host go on as an archive while they come, no faster than they are taken, and a host
 * that sends something else is not believed. Method: a fake host whose stream the test makes, the real reader of tar.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packedBytes } from '../../../../src/engine/disk/ustar.ts';
import { type TakenMember, takenStream } from '../../../../src/engine/staging/taken-pack.ts';
import type { RemoteProcess } from '../../../../src/remote/host.ts';
import { seatsOf, temporaryDirectory } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { fakeProcess, filesNamed } from '../../../support/fake-process.ts';

const SIZES = [0, 1, 511, 512, 513, 70_000, 0];

async function house(count = 40) {
  const host = new FakeHost('maker');
  const members = Array.from({ length: count }, (_, n): TakenMember => {
    const bytes = Buffer.alloc(SIZES[n % SIZES.length] ?? 0, `${n}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const [name, remote] = [`${n}-${sha256.slice(0, 60)}`, `/kept/${n}`];
    host.files.set(remote, bytes);
    const mode = n % 3 === 0 ? 0o555 : 0o444;
    return { name, remote, sha256, mode, bytes: bytes.length, label: name };
  });
  host.onProcess = (call) => fakeProcess(filesNamed(host, call));
  const seats = await seatsOf([[{ name: 'maker' }, host]]);
  const controller = new AbortController();
  const stream = (offset = 0) =>
    takenStream({ source: seats.get('maker'), signal: controller.signal }, members, offset);
  const archive = async (offset = 0): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream(offset)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return { host, members, stream, archive, controller };
}

test('what tar makes of it are the files, with their modes', async () => {
  const { host, members, archive } = await house();
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'x'));
  await writeFile(join(dir, 'pack.tar'), await archive());
  execFileSync('tar', ['xmopf', '../pack.tar'], { cwd: join(dir, 'x') });
  expect((await readdir(join(dir, 'x'))).length).toBe(members.length);
  for (const { name, remote, mode } of members) {
    const path = join(dir, 'x', name);
    expect((await readFile(path)).equals(host.files.get(remote) ?? Buffer.alloc(1))).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(mode);
  }
});

test('from any offset on it is the same archive, and only what is missing comes', async () => {
  const { host, archive } = await house();
  const whole = await archive();
  for (const offset of [1, 512, 5_000, whole.length - 1_024, whole.length - 1, whole.length]) {
    const before = host.count(/^taking/);
    const rest = await archive(offset);
    expect(rest.equals(whole.subarray(offset)), `${offset}`).toBe(true);
    expect(host.count(/^taking/) - before).toBe(offset >= whole.length - 1_024 ? 0 : 1);
  }
});

test('it comes no faster than it is taken', async () => {
  const { host, members, stream } = await house(2_000);
  let sent = 0;
  host.onProcess = (call) =>
    fakeProcess(
      (async function* () {
        for (const bytes of filesNamed(host, call)) {
          sent += bytes.length;
          yield bytes;
        }
      })(),
    );
  const blocks = stream();
  let taken = 0;
  while (taken < 1_000_000) taken += (await blocks.next()).value?.length ?? 0;
  const all = members.reduce((sum, { bytes }) => sum + packedBytes(bytes), 0);
  expect(all).toBeGreaterThan(20_000_000);
  expect(sent).toBeLessThan(2_000_000);
  await blocks.return(undefined);
});

const LIES: [string, (files: Buffer[]) => RemoteProcess][] = [
  ['other bytes', (files) => fakeProcess([Buffer.concat(files).fill('!', 600, 601)])],
  ['more than it has', (files) => fakeProcess([...files, Buffer.from('more')])],
  ['less than it has', (files) => fakeProcess(files.slice(0, 9))],
  ['no file', (files) => fakeProcess(files.slice(0, 9), 9)],
  ['an archive of its own', () => fakeProcess([Buffer.alloc(900_000, '../../evil\0')])],
];

test.each(LIES)('a host that sends %s is not believed', async (_, lie) => {
  const { host, archive } = await house();
  host.onProcess = (call) => lie(filesNamed(host, call));
  await expect(archive()).rejects.toMatchObject({ code: 'STAGE_INPUT_CHANGED' });
});

test('a link that breaks is told as that, and a cancel ends the stream', async () => {
  const { host, archive, stream, controller } = await house();
  host.onProcess = (call) => fakeProcess(filesNamed(host, call).slice(0, 9), 'the link is lost');
  await expect(archive()).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  let closed = false;
  host.onProcess = () => {
    const process = fakeProcess(
      (async function* (): AsyncGenerator<Buffer> {
        yield await new Promise<Buffer>(() => {});
      })(),
    );
    return { ...process, close: () => ((closed = true), process.close()) };
  };
  const taking = (async () => {
    for await (const blocks of stream()) if (blocks.length > 1 << 20) break;
  })();
  controller.abort();
  await expect(taking).rejects.toMatchObject({ name: 'AbortError' });
  expect(closed).toBe(true);
});
