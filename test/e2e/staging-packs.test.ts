/**
 * Goal: trees of many small files arrive byte-exact both ways for a few round trips, also when link or daemon are
 * cut in the middle, and nothing of a pack stays. Method: the task itself lists and hashes what it finds; the
 * host's counters and a proxy that resets the connection after a given byte show what was sent.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BED, MINI, onHost, SSH_PORT } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { hostCounters } from '../support/host-counters.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const FILES = 500;
const ODD = ['with space', 'ünïcödé 漢字', `it's "$(id)" \`*\``, '-rf', 'a:b,c', '\\back\\slash'];

const PINS = join(tmpdir(), `towline-pins-${process.pid}`);
let daemon: TestDaemon;
let proxy: TcpProxy;

beforeAll(async () => {
  proxy = await startTcpProxy(Number(SSH_PORT));
  const knownHosts = readFileSync(join(BED, 'known_hosts'), 'utf8');
  writeFileSync(PINS, knownHosts.replaceAll(`:${SSH_PORT}`, `:${proxy.port}`));
  const keys = { port: String(proxy.port), known_hosts: PINS };
  daemon = makeDaemon({ hosts: { vm: { on: 'vm', keys }, other: { on: 'vm2', user: 'bob' } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await proxy.stop();
  rmSync(PINS);
});

type Tree = Map<string, { bytes: Buffer; executable: boolean }>;

/** Names of all kinds; every fifth file is empty. The seed makes the content a test's own. */
function makeTree(name: string, seed: number, more: readonly string[] = []): [string, Tree] {
  const root = join(daemon.dir, name);
  const tree: Tree = new Map();
  const names = [...ODD, ...more];
  for (let n = 0; n < FILES; n += 1) {
    const odd = names[n % names.length] ?? '';
    const path = n % 3 === 0 ? `${odd}/${n % 7}/${odd} ${n}` : `${n}${odd}`;
    const bytes = Buffer.alloc(n % 5 === 0 ? 0 : (n * 131) % 65_536, `${seed}.${n} ${odd}`);
    tree.set(path, { bytes, executable: n % 4 === 0 });
  }
  for (const [path, { bytes, executable }] of tree) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes, { mode: executable ? 0o755 : 0o644 });
  }
  return [root, tree];
}

const total = (tree: Tree): number =>
  [...tree.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const LIST =
  "find . -type f -printf 'f %m %P\\0' | sort -z && find . -type f -print0 | sort -z | xargs -0 sha256sum -z";

/** What LIST says of it in the container. */
function listing(tree: Tree): string[] {
  return [...tree]
    .flatMap(([path, { bytes, executable }]) => [
      `f ${executable ? '555' : '444'} ${path}`,
      `${sha256(bytes)}  ./${path}`,
    ])
    .toSorted();
}

async function listed(id: string): Promise<string[]> {
  const { stdout } = await daemon.cli('logs', id, '--stdout');
  return stdout.split('\0').filter(Boolean).toSorted();
}

/** What is in the store's directory of parts. */
const parts = (): Promise<string> => onHost('vm', 'ls', '-A', `${daemon.root}/store/.part`);

const submit = (tree: string): Promise<string> =>
  daemon.submit(
    ...['--input', `${tree}:tree`, MINI, '--'],
    ...['bash', '-c', `cd /mnt/task/inputs/tree && ${LIST}`],
  );

test('five hundred small files of all names arrive byte-exact for a few round trips, and cost one look the second time', async () => {
  const [root, tree] = makeTree('up', 1, ['new\nline']);
  await daemon.run('true');
  const before = await hostCounters(daemon);
  const id = await submit(root);
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(await listed(id)).toEqual(listing(tree));
  const after = await hostCounters(daemon);
  // Writes of some 14 MB in requests of up to 255 KiB; file by file it would be three for each.
  expect(after.sftpRequests - before.sftpRequests).toBeLessThan(600);
  expect(after.shellCommands - before.shellCommands).toBeLessThan(40);
  expect(await parts()).toBe('');
  const again = await submit(root);
  expect((await daemon.cli('wait', again)).code).toBe(0);
  const last = await hostCounters(daemon);
  expect(last.sftpRequests - after.sftpRequests).toBeLessThan(20);
  expect(last.bytesSent - after.bytesSent).toBeLessThan(total(tree) / 20);
});

test('a pack that is cut in the middle goes on where it stopped', async () => {
  const [root, tree] = makeTree('cut', 2);
  const before = await hostCounters(daemon);
  const resets = proxy.resets();
  proxy.resetAfter(5 << 20, 'requests');
  const id = await submit(root);
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(proxy.resets()).toBe(resets + 1);
  expect(await listed(id)).toEqual(listing(tree));
  const sent = (await hostCounters(daemon)).bytesSent - before.bytesSent;
  // mostly 1.2, of which the archive is 0.07: what was under way on both links is sent once more, 2 MiB at most on each
  expect(sent / total(tree)).toBeLessThan(1.45);
  expect(await parts()).toBe('');
});

test('a daemon that is killed in the middle of a pack goes on with it when it is back', async () => {
  const [root, tree] = makeTree('killed', 3);
  const resets = proxy.resets();
  proxy.resetAfter(5 << 20, 'requests', 'hole');
  const id = await submit(root);
  await until(() => proxy.resets() === resets + 1);
  await daemon.kill('SIGKILL');
  proxy.heal();
  expect(await parts()).toContain('pack-');
  await daemon.start();
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(await listed(id)).toEqual(listing(tree));
  expect((await hostCounters(daemon)).bytesSent).toBeLessThan(total(tree) * 0.9);
  expect(await parts()).toBe('');
});

test('five hundred small files come back byte-exact, with what is executable', async () => {
  const [root, tree] = makeTree('back', 4);
  const copy = 'cp -r /mnt/task/inputs/tree out && mkdir out/empty';
  const local = join(daemon.dir, 'landed');
  await daemon.run('true');
  const before = await hostCounters(daemon);
  const id = await daemon.submit(
    ...['--input', `${root}:tree`, '--output', `out:${local}`],
    ...[MINI, '--', 'bash', '-c', copy],
  );
  expect((await daemon.cli('wait', id)).code).toBe(0);
  const after = await hostCounters(daemon);
  // Both ways; the listings of its directories are most of it. File by file it would be thousands.
  expect(after.sftpRequests - before.sftpRequests).toBeLessThan(900);
  expect(after.shellCommands - before.shellCommands).toBeLessThan(40);
  const found: Tree = new Map();
  for (const path of readdirSync(local, { recursive: true, encoding: 'utf8' })) {
    const info = statSync(join(local, path));
    if (!info.isFile()) continue;
    const bytes = readFileSync(join(local, path));
    found.set(path, { bytes, executable: (info.mode & 0o111) !== 0 });
  }
  expect(listing(found)).toEqual(listing(tree));
  expect(statSync(join(local, 'empty')).isDirectory()).toBe(true);
});

test('small files that a task on another host made come as packs, also when link and daemon are cut in the middle', async () => {
  const list = 'find . -type f | sort | xargs sha256sum';
  const make = `mkdir out; cd out; for n in $(seq 60); do head -c $((n * 1724 % 60000)) /dev/urandom >f$n; done; ${list}`;
  const made = await daemon.submit(
    '--share',
    'out',
    '--host',
    'vm',
    MINI,
    '--',
    'bash',
    '-c',
    make,
  );
  expect((await daemon.cli('wait', made)).code).toBe(0);
  const resets = proxy.resets();
  proxy.resetAfter(1 << 20, 'replies', 'hole');
  const taken = await daemon.submit(
    ...['--input', `workflow:///${made}/out:in`, '--host', 'other', MINI, '--'],
    ...['bash', '-c', `cd /mnt/task/inputs/in && ${list}`],
  );
  await until(() => proxy.resets() === resets + 1);
  await daemon.kill('SIGKILL');
  proxy.heal();
  await daemon.start();
  expect((await daemon.cli('wait', taken)).code).toBe(0);
  const said = async (id: string) => (await daemon.cli('logs', '--stdout', id)).stdout;
  expect((await said(taken)).split('\n')).toHaveLength(61);
  expect(await said(taken)).toBe(await said(made));
  // one by one it would be three for each
  expect((await hostCounters(daemon)).sftpRequests).toBeLessThan(100);
  expect(await onHost('vm2', 'ls', '-A', `${daemon.rootOn('other')}/store/.part`)).toBe('');
});
