/**
 * Goal: bytes that come from another host become an image whole and checked, or not at all; what is there is
 * never replaced, and nothing is written through a link. Method: the real texts in every sh there is.
 */
import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseImageList } from '../../src/script/image-cache.ts';
import {
  dropImagePartText,
  parseReceive,
  publishImageText,
  receiveText,
} from '../../src/script/image-receive.ts';
import { imageFileText, parseImageFile } from '../../src/script/image-send.ts';
import { imageListText } from '../../src/script/pull.ts';
import { runText, SHELLS } from '../support/shells.ts';

const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000001';
const BYTES = 'the bytes of an image';
const SUM = createHash('sha256').update(BYTES).digest('hex');
const REFERENCE = 'docker://mini:1';
const QUERY = { host: 'far', image: REFERENCE };
const RECORD = {
  format: 1,
  reference: REFERENCE,
  sha256: SUM,
  bytes: BYTES.length,
  at: 5,
  note: `it's`,
};

async function house(shell: readonly string[]) {
  const dir = await mkdtemp('/tmp/towline receive ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const images = join(dir, "im'ages");
  const place = (more: object = {}) => ({
    ...{ directory: images, root: dir, key: 'mini-1', sha256: SUM, daemonId: DAEMON, host: 'far' },
    ...more,
  });
  const say = async (text: string) => parseReceive((await runText(text, shell)).output, QUERY);
  const look = (more = {}, bytes = BYTES.length) => say(receiveText(place(more), bytes));
  const publish = (more = {}) => say(publishImageText(place(more), RECORD));
  const names = async () => (await readdir(images)).toSorted();
  return { dir, images, place, look, publish, names, shell };
}

describe.each(SHELLS)('%s', (...shell) => {
  test('an image is received, gone on with, checked and named, with its record', async () => {
    const { images, look, publish, names } = await house(shell);
    const first = await look();
    if (first.kind !== 'part') throw new Error(first.kind);
    expect([first.bytes, first.path.startsWith(`${images}/.part-mini-1.`)]).toEqual([0, true]);
    await writeFile(first.path, BYTES.slice(0, 9));
    expect(await look()).toMatchObject({ kind: 'part', bytes: 9 });
    expect((await stat(dirname(first.path))).mode & 0o777).toBe(0o700);
    await writeFile(first.path, BYTES);
    const ready = { kind: 'ready', path: `${images}/mini-1.sif`, sha256: SUM, digest: undefined };
    expect(await publish()).toEqual(ready);
    expect([await publish(), await look()]).toEqual([ready, ready]);
    expect(await names()).toEqual(['mini-1.json', 'mini-1.sif']);
    expect((await stat(`${images}/mini-1.sif`)).mode & 0o777).toBe(0o444);
    const list = await runText(imageListText({ directory: images }), shell);
    const [image] = parseImageList(list.output, QUERY);
    expect(image).toMatchObject({ reference: REFERENCE, sha256: SUM, bytes: BYTES.length });
    expect(image?.pulledAt).toBeGreaterThan(1e12);
    const file = await runText(imageFileText(`${images}/mini-1.sif`), shell);
    expect(parseImageFile(file.output, QUERY).record).toMatchObject({
      sha256: SUM,
      note: `it's`,
    });
  });

  test('a newer image gets a name beside the one that is there, and is what the tag stands for', async () => {
    const { images, look, publish, names } = await house(shell);
    const send = async (): Promise<unknown> => {
      const newer = { newer: true };
      const part = await look(newer);
      if (part.kind !== 'part') return part;
      await writeFile(part.path, BYTES);
      return publish(newer);
    };
    await mkdir(images);
    await writeFile(`${images}/mini-1.sif`, 'older bytes');
    await writeFile(`${images}/mini-1.json`, `{"sha256":"${'0'.repeat(64)}"}`);
    expect(await look()).toMatchObject({ kind: 'ready', path: `${images}/mini-1.sif` });
    const ready = { kind: 'ready', path: `${images}/mini-1.g${SUM.slice(0, 16)}.sif`, sha256: SUM };
    expect(await send()).toMatchObject(ready);
    expect([await send(), await look()]).toMatchObject([ready, ready]);
    expect(await readFile(`${images}/mini-1.sif`, 'utf8')).toBe('older bytes');
    expect((await names()).filter((name) => name.startsWith('.'))).toEqual(['.now.mini-1']);
  });

  test('other bytes get no name, and are gone', async () => {
    const { look, publish, names } = await house(shell);
    const part = await look();
    if (part.kind !== 'part') throw new Error(part.kind);
    await writeFile(part.path, 'the bytes of an imagE');
    expect(await publish()).toEqual({ kind: 'mismatch' });
    expect(await names()).toEqual([]);
  });

  test('of two daemons that send at once the first names it; the other finds it', async () => {
    const { images, look, publish, names } = await house(shell);
    const other = { daemonId: 'd4a3c7f0-0000-4000-8000-000000000002' };
    for (const who of [{}, other]) {
      const part = await look(who);
      if (part.kind !== 'part') throw new Error(part.kind);
      await writeFile(part.path, BYTES);
    }
    expect(await publish(other)).toMatchObject({ kind: 'ready' });
    const { ino } = await stat(`${images}/mini-1.sif`);
    expect(await publish()).toMatchObject({ kind: 'ready' });
    expect((await stat(`${images}/mini-1.sif`)).ino).toBe(ino);
    expect(await look()).toMatchObject({ kind: 'ready' });
    expect(await names()).toEqual(['mini-1.json', 'mini-1.sif']);
  });

  test('what does not fit is refused before a byte is sent', async () => {
    const { look, names } = await house(shell);
    expect(await look({}, 2 ** 60)).toMatchObject({ kind: 'nospace' });
    expect(await names()).toEqual([]);
  });

  test('nobody wants it any more: only the part goes', async () => {
    const { look, place, names } = await house(shell);
    await look();
    await look({ host: 'twin' });
    await runText(dropImagePartText(place()), shell);
    expect(await names()).toHaveLength(1);
  });

  test('a link that somebody put where the part goes is not followed', async () => {
    const { dir, images, look } = await house(shell);
    const part = await look();
    if (part.kind !== 'part') throw new Error(part.kind);
    await rm(dirname(part.path), { recursive: true });
    await mkdir(join(dir, 'elsewhere'));
    await symlink(join(dir, 'elsewhere'), dirname(part.path));
    await expect(look()).rejects.toMatchObject({ code: 'HOST_COMMAND_FAILED' });
    expect(await readdir(join(dir, 'elsewhere'))).toEqual([]);
    expect(await readFile(`${images}/mini-1.sif`).catch(() => 'none')).toBe('none');
  });

  test('an image whose file is gone or has no record of its size is told so', async () => {
    const { dir } = await house(shell);
    const ask = async () =>
      parseImageFile((await runText(imageFileText(join(dir, 'x.sif')), shell)).output, QUERY);
    await expect(ask()).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await writeFile(join(dir, 'x.sif'), BYTES);
    expect(await ask()).toEqual({ bytes: BYTES.length, record: undefined });
    await writeFile(join(dir, 'x.json'), JSON.stringify({ ...RECORD, bytes: 1 }));
    expect((await ask()).record).toBeUndefined();
    await chmod(join(dir, 'x.json'), 0o644);
  });
});
