/**
 * Goal: what goes into a task arrives byte-exact, once per host, and never half.
 * Method: the task itself lists and hashes what it finds; the host's counters and a proxy that cuts
 * the connection in the middle show what was sent.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BED, MINI, onHost, SSH_PORT } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { hostCounters } from '../support/host-counters.ts';
import { pipedCli } from '../support/piped-cli.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function local(name: string, content: Buffer | string, mode = 0o644): string {
  const path = join(daemon.dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** Submits tasks as JSON and gives their ids. */
async function submitAll(tasks: object[]): Promise<string[]> {
  const file = local('tasks.json', JSON.stringify(tasks.map((task) => ({ image: MINI, ...task }))));
  return (await daemon.submit('--file', file)).split('\n');
}

async function succeeded(ids: string[]): Promise<void> {
  const waited = await daemon.cli('wait', ...ids);
  expect(waited.code, waited.stdout + waited.stderr).toBe(0);
}

test('a directory arrives with its names, its empty parts and what can be executed', async () => {
  const tree = join(daemon.dir, 'tree');
  const names = [
    'plain',
    'with space',
    'ünïcödé 漢字',
    'new\nline',
    'it\'s "$(id)" `*`',
    '-rf',
    'a:b,c',
  ];
  for (const name of names) {
    mkdirSync(join(tree, name), { recursive: true });
    writeFileSync(join(tree, name, name), `content of ${name}`);
  }
  mkdirSync(join(tree, 'deep/er/empty'), { recursive: true });
  writeFileSync(join(tree, 'nothing'), '');
  writeFileSync(join(tree, 'tool'), '#!/bin/sh\necho "the tool ran"\n');
  chmodSync(join(tree, 'tool'), 0o755);
  const list =
    "cd tree && ./tool >&2 && find . -mindepth 1 -type d -printf 'd %P\\0' -o -type f -printf 'f %m %P\\0' | sort -z && find . -type f -print0 | sort -z | xargs -0 sha256sum -z";
  const ran = await daemon.cli(
    'run',
    '--input',
    tree,
    MINI,
    '--',
    'bash',
    '-c',
    `cd /mnt/task/inputs; ${list}`,
  );
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).toBe('the tool ran\n');
  const found = ran.stdout.split('\0').filter(Boolean);
  const expected = [
    ...names.flatMap((name) => [`d ${name}`, `f 444 ${name}/${name}`]),
    ...['d deep', 'd deep/er', 'd deep/er/empty', 'f 444 nothing', 'f 555 tool'],
    ...names.map((name) => `${sha256(`content of ${name}`)}  ./${name}/${name}`),
    `${sha256('')}  ./nothing`,
    `${sha256(readFileSync(join(tree, 'tool')))}  ./tool`,
  ];
  expect(found.toSorted()).toEqual(expected.toSorted());
});

test('inputs are read-only and stand where the task says', async () => {
  const input = local('a.txt', 'text of a');
  const [id = ''] = await submitAll([
    {
      command: [
        'sh',
        '-c',
        'cat /mnt/task/inputs/sub/b.txt /data/in/c.txt /mnt/task/inputs/inline; echo x >/mnt/task/inputs/new || echo y >/data/in/c.txt || echo read-only',
      ],
      inputs: [
        { path: input, target: 'sub/b.txt' },
        `${input}:/data/in/c.txt`,
        { content: 'inline "ü" $(id)\n', target: 'inline' },
      ],
    },
  ]);
  await succeeded([id]);
  const { stdout } = await daemon.cli('logs', id, '--stdout');
  expect(stdout).toBe('text of atext of ainline "ü" $(id)\nread-only\n');
});

test('ten megabytes on stdin reach the command whole, from a file and through a pipe', async () => {
  const bytes = randomBytes(10 << 20);
  const file = local('stdin.bin', bytes);
  const hash = `${sha256(bytes)}  -\n`;
  const ran = await daemon.cli('run', '--stdin', file, MINI, '--', 'sha256sum');
  expect(ran.stdout, ran.stderr).toBe(hash);
  const piped = await pipedCli(daemon, file, 'run', MINI, '--', 'sha256sum');
  expect(piped.stdout, piped.stderr).toBe(hash);
});

test('the same content in several tasks is sent once', async () => {
  const bytes = randomBytes(6 << 20);
  const [one, two] = [local('one.bin', bytes), local('two.bin', bytes)];
  const before = await hostCounters(daemon);
  const command = ['sh', '-c', 'cat /mnt/task/inputs/* | sha256sum'];
  await succeeded(
    await submitAll([
      { command, inputs: [one] },
      { command, inputs: [two] },
      { command, inputs: [one] },
    ]),
  );
  const later = await submitAll([{ command, inputs: [two] }]);
  await succeeded(later);
  const sent = (await hostCounters(daemon)).bytesSent - before.bytesSent;
  expect(sent).toBeGreaterThan(bytes.length);
  expect(sent).toBeLessThan(bytes.length * 1.2);
  const { stdout } = await daemon.cli('logs', later[0] ?? '', '--stdout');
  expect(stdout).toBe(`${sha256(bytes)}  -\n`);
});

test('an upload that is cut resumes where it stopped, and nothing half gets a name', async () => {
  const proxy = await startTcpProxy(Number(SSH_PORT));
  await using _ = { [Symbol.asyncDispose]: () => proxy.stop() };
  const knownHosts = readFileSync(join(BED, 'known_hosts'), 'utf8');
  const ours = local('known_hosts', knownHosts.replaceAll(`:${SSH_PORT}`, `:${proxy.port}`));
  await using other = makeDaemon({
    vm: { port: String(proxy.port), known_hosts: ours, links: '2' },
  });
  await other.start();
  await other.run('true');
  const bytes = randomBytes(48 << 20);
  const input = local('large.bin', bytes);
  const before = await hostCounters(other);
  const id = await other.submit(
    '--input',
    input,
    MINI,
    '--',
    'sha256sum',
    '/mnt/task/inputs/large.bin',
  );
  const store = `${other.root}/store`;
  const partBytes = async (): Promise<number> =>
    Number(await onHost('vm', 'sh', '-c', 'cat "$0"/.part/* 2>/dev/null | wc -c', store));
  await until(async () => (await partBytes()) > 4 << 20);
  proxy.cut();
  expect(await onHost('vm', 'sh', '-c', 'ls "$0"', store)).not.toContain(sha256(bytes));
  const waited = await other.cli('wait', id);
  expect(waited.code, waited.stderr).toBe(0);
  const { stdout } = await other.cli('logs', id, '--stdout');
  expect(stdout).toBe(`${sha256(bytes)}  /mnt/task/inputs/large.bin\n`);
  // What was there at the cut was not sent again: all in all less than one and a half times.
  const sent = (await hostCounters(other)).bytesSent - before.bytesSent;
  expect(sent).toBeGreaterThan(bytes.length);
  expect(sent).toBeLessThan(bytes.length * 1.25);
});

test('an input that is missing is refused at once, by its path', async () => {
  const path = join(daemon.dir, 'nowhere.txt');
  const ran = await daemon.cli('submit', '--input', path, MINI, '--', 'true');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('STAGE_INPUT_MISSING');
  expect(ran.stderr).toContain(path);
});

test('an input that goes away before it is sent ends the task with its name', async () => {
  const path = local('gone.txt', 'text');
  const id = await daemon.submit('--hold', '--input', path, MINI, '--', 'true');
  rmSync(path);
  await daemon.cli('release', id);
  await daemon.cli('wait', id);
  expect(await daemon.show(id)).toMatchObject({
    state: 'error',
    failure: { code: 'STAGE_INPUT_MISSING' },
  });
});
