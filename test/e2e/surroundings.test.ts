/**
 * Goal: what a task finds around it (overlay, binds, /tmp, network, user) is what was asked for, and what
 * the host lacks is told before anything starts. Method: real tasks on vm; root looks at what is left.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { found, MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const BASE = '/home/alice/surroundings a,b "c" $d';
const IMAGE = `${BASE}/own.img`;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon({ vm: { tmp_dir: '~/surroundings-tmp' } });
  await daemon.start();
  const make =
    'rm -rf "$1"; mkdir -p "$1/dir" "$HOME/surroundings-tmp/mine" && echo here >"$1/dir/file" && apptainer overlay create --sparse --size 64 "$2"';
  await onHost('vm', 'su', 'alice', '-s', '/bin/sh', '-c', make, 'sh', BASE, IMAGE);
});

afterAll(async () => {
  await onHost('vm', 'rm', '-rf', BASE, '/home/alice/surroundings-tmp');
  await daemon[Symbol.asyncDispose]();
});

const task = (options: string[], text: string) =>
  daemon.cli('run', ...options, '--host', 'vm', MINI, '--', 'sh', '-c', text);

test('an overlay of its own is written to, fresh for each attempt, and gone with it', async () => {
  const write = '[ ! -e /opt/mine ] && echo x >/opt/mine && cat /opt/mine && df -m / | tail -n 1';
  const first = await task(['--overlay-size', '--name', 'overlay'], write).catch(() => undefined);
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^x\n.* 9\d\d|^x\n.* 10\d\d/),
  });
  const again = await task(['--overlay-size=64MiB'], write);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^x\n/) });
  expect(await found('vm', daemon.root, '-path', '*/.overlay.64.0/image')).toHaveLength(1);
  const copied = await task(['--overlay-size=64MiB'], write);
  expect(copied).toMatchObject({ code: 0, stdout: again.stdout });
  await until(
    async () => (await found('vm', daemon.root, '-name', 'overlay.img')).length === 0,
    () => 'the overlays are removed with their attempts',
  );
});

test('without one the root is read-only, and show names the remedy', async () => {
  const id = await daemon.submit('--host', 'vm', MINI, '--', 'touch', '/opt/mine');
  await daemon.cli('wait', id);
  const shown = await daemon.cli('show', id);
  expect(shown.stdout).toMatch(/Read-only file system/);
  expect(shown.stdout).toMatch(/hint +.*--overlay-size/);
});

test('an overlay of the user is kept, and one that is in use is OVERLAY_IN_USE', async () => {
  const wrote = await task(['--overlay', IMAGE.replaceAll(':', '\\:')], 'echo kept >/opt/mine');
  expect(wrote).toMatchObject({ code: 0 });
  const stay = ['sh', '-c', 'echo up; sleep 300'];
  const id = await daemon.submit('--host', 'vm', '--overlay', IMAGE, MINI, '--', ...stay);
  await until(
    async () => (await daemon.show(id)).streams.stdout.bytes > 0,
    () => 'it runs, with the overlay in use',
  );
  const inside = await daemon.cli('exec', id, '--', 'cat', '/opt/mine');
  expect(inside).toMatchObject({ code: 0, stdout: 'kept\n', stderr: '' });
  const second = await task(['--overlay', `${IMAGE}:ro`], 'true');
  expect(second.code).toBe(125);
  expect(second.stderr).toMatch(/OVERLAY_IN_USE.*\n?.*--overlay-size/s);
  await daemon.cli('cancel', id);
  await daemon.cli('wait', id);
  const read = await task(['--overlay', `${IMAGE}:ro`], 'cat /opt/mine; touch /opt/more');
  expect(read).toMatchObject({ stdout: 'kept\n', code: 1 });
  expect(await onHost('vm', 'ls', IMAGE)).toBe(`${IMAGE}\n`);
});

test('binds with a comma, quotes, a dollar and a variable are mounted where they belong', async () => {
  const ran = await task(
    ['--bind', '$HOME/surroundings a,b "c" $d/dir:/data/x:ro', '--bind', `${BASE}/dir:/data/y`],
    'cat /data/x/file; echo more >/data/y/new; touch /data/x/no 2>/dev/null || echo read-only',
  );
  expect(ran).toMatchObject({ stdout: 'here\nread-only\n', code: 0 });
  expect(await onHost('vm', 'cat', `${BASE}/dir/new`)).toBe('more\n');
});

test('tmp_dir: /tmp and /var/tmp are below it, and nothing is left there', async () => {
  const ran = await task(
    ['--tmp-dir', '~/surroundings-tmp/mine'],
    'echo t >/tmp/t; echo v >/var/tmp/v; sleep 1; cat /tmp/t /var/tmp/v',
  );
  expect(ran).toMatchObject({ stdout: 't\nv\n', code: 0 });
  await until(
    async () => (await onHost('vm', 'ls', '-A', '/home/alice/surroundings-tmp/mine')) === '',
    () => 'tmp_dir is empty again',
  );
});

test('network none has no way out, fakeroot is root', async () => {
  const ran = await task(
    ['--network', 'none', '--fakeroot'],
    'id -u; grep -c : /proc/net/dev; grep -o lo: /proc/net/dev',
  );
  expect(ran).toMatchObject({ stdout: '0\n1\nlo:\n', code: 0 });
});

test.each([
  ['BIND_SOURCE_MISSING', ['--bind', '/nothing/a,b:/x'], '/nothing/a,b'],
  ['OVERLAY_NOT_FOUND', ['--overlay', '/nothing/o.img'], '/nothing/o.img'],
  ['TMP_DIR_UNUSABLE', ['--tmp-dir', '/etc'], '/etc'],
])('what a task needs and the host lacks is %s', async (code, options, named) => {
  const ran = await task(options, 'echo must not run');
  expect(ran).toMatchObject({ code: 125, stdout: '' });
  expect(ran.stderr).toContain(code);
  expect(ran.stderr).toContain(named);
});

test('a path with a variable that the host does not set waits with HOST_VARIABLE_UNSET', async () => {
  const id = await daemon.submit('--host', 'vm', '--bind', '$SCRATCH/x:/x', MINI, '--', 'true');
  await until(
    async () => (await daemon.show(id)).blocked?.reason === 'HOST_VARIABLE_UNSET',
    () => 'the task says what it waits for',
  );
  await daemon.cli('cancel', id);
});

test('an overlay that cannot be made is OVERLAY_CREATE_FAILED', async () => {
  await using limited = makeDaemon({ vm: { setup: 'ulimit -f 1000' } });
  await limited.start();
  const ran = await limited.cli('run', '--overlay-size=64MiB', '--host', 'vm', MINI, '--', 'true');
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('OVERLAY_CREATE_FAILED');
});
