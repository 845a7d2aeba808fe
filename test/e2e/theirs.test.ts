/**
 * Goal: whatever ends a task or a host, nothing goes that Towline did not make (D1, F85); what is kept is
 * told (F86). Method: a user's image, bind source, remote input and files with names like ours stand in the
 * directories where ours are; after each act root lists and hashes all of them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const LONG_AGO = '2 hours ago';
let daemon: TestDaemon;
let theirs: string[];
let before: string;

beforeAll(async () => {
  daemon = makeDaemon({ vm: { image_cache_dir: '' } });
  await daemon.start();
  await daemon.cli('wait', await daemon.submit(MINI, '--', 'true'));
  theirs = await putTheirs();
  before = await look();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await onHost('vm', 'rm', '-rf', daemon.root, `${daemon.root} theirs`, `${daemon.root}-data`);
});

/** Beside our root, in it, among our images, staged inputs and attempts. */
async function putTheirs(): Promise<string[]> {
  const { root } = daemon;
  const ids = (await onHost('vm', 'sh', '-c', `ls ${root}/tasks`)).trim();
  const tasks = `${root}/tasks/${ids}`;
  const directories = [
    `${root} theirs`,
    `${root}-data`,
    `${root}/data`,
    `${tasks}/abcdefgh2345.1`,
    `${tasks}/abcdefgh2345.1.bak`,
    `${root} theirs/towline-abcdefgh2345.1`,
    `${root}/images/.own`,
  ];
  const copies = [`${root} theirs/own.sif`, `${root}/own.sif`, `${root}/images/own.sif`];
  const files = [
    ...directories.map((directory) => `${directory}/file`),
    `${root}/notes.txt`,
    `${root}/store/${'0a'.repeat(32)}`,
    `${root}/store/.part/notes`,
    `${root}/images/mini_1-0123456789abcdef.part`,
    `${root}/.towline-root.json`,
  ];
  const script = [
    'set -e',
    'image=$1; shift',
    'while [ "$1" != -- ]; do mkdir -p "$1"; shift; done; shift',
    'while [ "$1" != -- ]; do cp "$image" "$1"; shift; done; shift',
    `for f; do mkdir -p "\${f%/*}"; echo "theirs: $f" >"$f"; touch -d '${LONG_AGO}' "$f"; done`,
  ].join('\n');
  const [image = ''] = (await onHost('vm', 'sh', '-c', `ls ${root}/images/*.sif`)).split('\n');
  const words = [image, ...directories, '--', ...copies, '--', ...files];
  await asAlice(script, words);
  return [...directories, ...copies, ...files];
}

const asAlice = (script: string, words: string[]): Promise<string> =>
  onHost('vm', 'su', 'alice', '-s', '/bin/sh', '-c', script, '--', 'sh', ...words);

/** Every name of theirs with its kind, mode and hash. */
function look(): Promise<string> {
  const script = 'for f; do stat -c "%n %F %a %U" "$f"; [ -d "$f" ] || sha256sum "$f"; done 2>&1';
  return onHost('vm', 'sh', '-c', script, 'sh', ...theirs);
}

/** Uses all that is theirs, and leaves links to it where the cleaning goes. */
function taskFile(name: string, command: string, more: object = {}): string {
  const { root } = daemon;
  const file = join(daemon.dir, `${name}.json`);
  const links = `ln -s '${root} theirs' ln; ln -s /data data; ln -s '${root}/own.sif' sif`;
  const task = {
    image: `${root}/own.sif`,
    command: `cat /data/file /mnt/task/inputs/in; ${links}; ${command}`,
    binds: [`${root}-data:/data`, `${root} theirs:/theirs:ro`],
    inputs: [{ remote: `${root} theirs/file`, target: 'in' }],
    tmpDir: `${root} theirs`,
    ...more,
  };
  writeFileSync(file, JSON.stringify(task));
  return file;
}

const cleaned = (id: string): Promise<void> =>
  until(async () => (await daemon.show(id)).cleanup.state === 'done');

test('nothing of a user goes with a success, a failure, a cancel, gc or the end with a host', async () => {
  const good = await daemon.submit('--file', taskFile('good', 'true', { cleanup: 'always' }));
  const bad = await daemon.submit('--file', taskFile('bad', 'exit 7'));
  const long = await daemon.submit('--file', taskFile('long', 'sleep 600', { cleanup: 'always' }));
  await until(() => daemon.storedState(long) === 'running');
  await daemon.cli('cancel', '--wait', long);
  expect((await daemon.cli('wait', good, bad)).stdout).toContain(`${good} succeeded 0`);
  await cleaned(good);
  await cleaned(long);
  expect(await look()).toBe(before);

  const kept = await daemon.show(bad);
  expect(kept).toMatchObject({ state: 'failed', exitCode: 7, cleanup: { state: 'kept' } });
  expect((await daemon.cli('show', bad)).stdout).toContain(`vm:${kept.remoteDir}`);
  await onHost('vm', 'test', '-L', `${kept.remoteDir}/work/ln`);

  const gc = await daemon.cli('gc', '--older-than', '0s', '--images', '--yes');
  expect(gc.code, gc.stderr).toBe(0);
  await cleaned(bad);
  await onHost('vm', 'test', '!', '-e', String(kept.remoteDir));
  expect(await look()).toBe(before);
  expect(await onHost('vm', 'ls', `${daemon.root} theirs`)).toBe(
    'file\nown.sif\ntowline-abcdefgh2345.1\n',
  );

  const forget = await daemon.cli('host', 'forget', 'vm', '--yes');
  expect(forget.code, forget.stderr).toBe(0);
  expect(forget.stdout).toContain('own.sif is not of Towline');
  expect(await look()).toBe(before);
});
