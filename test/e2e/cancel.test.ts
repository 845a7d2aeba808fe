/**
 * Goal: a cancel ends everything of a task, wherever the task stands, and cancelled work never starts.
 * Method: the real host; what lives there (processes, environments, mounts of all namespaces) is compared
 * as root before and after; a payload's own ledger tells its starts. Fault points hold the daemon's step
 * while the cancel is asked for; a TCP proxy as the host's port makes the host go away.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BED, MINI, onHost, SSH_PORT } from '../support/bed.ts';
import { heldAt, living, remains, startLedger, stored } from '../support/crash-task.ts';
import { finished, makeDaemon } from '../support/daemon.ts';
import { startRegistryProxy } from '../support/faults/registry-proxy.ts';
import { lookAt, newIn } from '../support/host-traces.ts';
import { freshImage } from '../support/registry.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/** Ignores what can be ignored, and leaves a child and a grandchild in sessions of their own without any mark. */
const STUBBORN = `trap '' TERM INT HUP
env -i setsid nohup bash -c '
  trap "" TERM INT HUP
  (env -i setsid nohup bash -c "trap \\"\\" TERM INT HUP; while :; do sleep 311; done" &)
  while :; do sleep 312; done
' </dev/null >/dev/null 2>&1 &
while :; do sleep 313; done`;

const HOST = ['--host', 'vm'];

test('a payload that ignores TERM and forks twice leaves no process, environment or mount', async () => {
  await using daemon = makeDaemon();
  await daemon.start();
  expect(await daemon.run('true')).toMatchObject({ code: 0 });
  let id = '';
  const look = () => lookAt('vm', (mark) => mark.includes(id));
  const before = await look();
  id = await daemon.submit(...HOST, MINI, '--', 'bash', '-c', STUBBORN);
  let during = await look();
  const sleepers = () => newIn(before, during).filter((line) => /\bsleep 31[123] /.test(line));
  await until(async () => {
    during = await look();
    return ['311', '312', '313'].every((s) => sleepers().some((line) => line.includes(` ${s} `)));
  });
  expect((await daemon.cli('cancel', '--wait', id)).stdout).toBe(`${id} cancelled\n`);
  let after = await look();
  const ours = newIn(before, during);
  expect(newIn(before, after).filter((line) => ours.includes(line))).toEqual([]);
  // What is new now is of others, and goes.
  await until(
    async () => newIn(before, (after = await look())).length === 0,
    () => `nothing new on the host, but there is\n${newIn(before, after).join('\n')}`,
  );
});

describe.concurrent('a cancel', () => {
  test('of a task that waits for a slot ends it without a word to the host', async () => {
    await using daemon = makeDaemon({ vm: { max_tasks: '1' } });
    await daemon.start();
    const ledger = startLedger(daemon);
    const first = await daemon.submit(...HOST, MINI, '--', 'sleep', '60');
    const words = ['sh', '-c', ledger.line];
    const second = await daemon.submit(...HOST, ...ledger.args, MINI, '--', ...words);
    await until(() => stored(daemon, first)?.kind === 'running');
    expect(stored(daemon, second)?.kind).toBe('queued');
    expect((await daemon.cli('cancel', '--wait', second)).stdout).toBe(`${second} cancelled\n`);
    expect((await daemon.cli('cancel', '--wait', first)).stdout).toBe(`${first} cancelled\n`);
    expect(ledger.starts()).toEqual([]);
    expect(await remains(daemon, `${second}.1`)).toBe('');
  });

  test('of a task that stages ends the upload', async () => {
    const held = await heldAndCancelled('remote.upload.before', 'staging');
    expect(held).toEqual({ starts: [], remains: '' });
  });

  test('of a task about to be published never lets it start', async () => {
    const held = await heldAndCancelled('launch.before', 'launching');
    expect(held.starts).toEqual([]);
  });

  test('of a task that was started but is not known to be ends what was started', async () => {
    await heldAndCancelled('launch.after', 'launching');
  });

  test('of a task whose outputs are being collected ends it and removes nothing half', async () => {
    const held = await heldAndCancelled('collect.before', 'collecting');
    expect(held.starts).toHaveLength(1);
  });

  test('of a task that pulls ends the pull on the host and leaves no image', async () => {
    // slow: it must not be done before it is cancelled
    await using registry = await startRegistryProxy();
    const { name } = await freshImage(1);
    registry.spoil(`/${name}/blobs/`, 100, { kind: 'slow', pieceBytes: 1_024, pauseMs: 100 });
    const keys = { image_cache_dir: '', insecure_registries: registry.name };
    await using daemon = makeDaemon({ vm: keys });
    await daemon.start();
    const id = await daemon.submit(...HOST, `docker://${registry.name}/${name}:1`, '--', 'true');
    const images = () => onHost('vm', 'sh', '-c', `ls -A ${daemon.root}/images || true`);
    await until(async () => (await images()).includes('.pull-'));
    expect((await daemon.cli('cancel', '--wait', id)).stdout).toBe(`${id} cancelled\n`);
    let left = '';
    await until(
      async () => (left = await images()) === '',
      () => `nothing left of the pull, but ${left}`,
    );
    const pulling = `grep -lzas 'TOWLINE_PULL=.*${name}' /proc/[0-9]*/environ; true`;
    expect(await onHost('vm', 'sh', '-c', pulling)).toBe('');
    expect(stored(daemon, id)?.kind).toBe('cancelled');
  });

  test('of a task whose host is away is done when the host is back', async () => {
    const proxy = await startTcpProxy(Number(SSH_PORT));
    try {
      const pinned = readFileSync(join(BED, 'known_hosts'), 'utf8');
      await using daemon = makeDaemon({ vm: { port: String(proxy.port), connect_timeout: '2s' } });
      const known = join(daemon.dir, 'known_hosts');
      writeFileSync(known, pinned.replaceAll(`:${SSH_PORT}`, `:${proxy.port}`));
      const config = readFileSync(daemon.configFile, 'utf8');
      writeFileSync(daemon.configFile, config.replace(join(BED, 'known_hosts'), known));
      await daemon.start();
      const id = await daemon.submit(...HOST, MINI, '--', 'sleep', '60');
      await until(() => stored(daemon, id)?.kind === 'running');
      proxy.blackHole();
      proxy.cut();
      expect((await daemon.cli('cancel', id)).stdout).toBe(`${id} cancelling\n`);
      await until(() => stored(daemon, id)?.blocked !== undefined);
      expect(await living(`${id}.1`)).not.toBe('');
      expect(stored(daemon, id)?.kind).toBe('cancelling');
      proxy.heal();
      expect((await daemon.cli('wait', id)).stdout).toMatch(`${id} cancelled`);
      expect(await living(`${id}.1`)).toBe('');
    } finally {
      await proxy.stop();
    }
  });

  test('by Ctrl-C of towline run ends the task and the run with 130', async () => {
    await using daemon = makeDaemon();
    await daemon.start();
    const run = daemon.spawnCli(['run', ...HOST, MINI, '--', 'sh', '-c', 'echo on; sleep 60']);
    let seen = '';
    run.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const ran = finished(run);
    await until(() => seen === 'on\n');
    run.kill('SIGINT');
    const { stdout } = await daemon.cli('list', '--quiet');
    expect(await ran).toMatchObject({ code: 130, stdout: 'on\n' });
    expect(stored(daemon, stdout.trim())?.kind).toBe('cancelled');
    expect(await living(`${stdout.trim()}.1`)).toBe('');
  });
});

describe.concurrent('a supervisor that was killed', () => {
  test('while its payload lives: the task goes on and ends with the code of its command', async () => {
    await using daemon = makeDaemon();
    await daemon.start();
    const ledger = startLedger(daemon);
    const payload = `echo on; ${ledger.line}; for i in $(seq 900); do [ -e go ] && break; sleep 0.1; done; echo off; exit 9`;
    const id = await daemon.submit(...HOST, ...ledger.args, MINI, '--', 'sh', '-c', payload);
    await until(() => ledger.starts().length === 1 && stored(daemon, id)?.kind === 'running');
    await onHost('vm', 'kill', '-KILL', String(stored(daemon, id)?.launch?.pid));
    await until(() => daemon.log().includes(`looking for what lives of ${id}.1`));
    expect(stored(daemon, id)?.kind).toBe('running');
    await onHost('vm', 'sh', '-c', `cd ${daemon.root}/tasks/*/${id}.1/work && touch go`);
    expect((await daemon.cli('wait', id)).stdout).toBe(`${id} failed 9 TASK_EXIT_CODE\n`);
    expect((await daemon.cli('logs', id)).stdout).toBe('on\noff\n');
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });

  test('together with its payload: the task is interrupted and not started again', async () => {
    await using daemon = makeDaemon();
    await daemon.start();
    const ledger = startLedger(daemon);
    const payload = `echo on; ${ledger.line}; sleep 60`;
    const id = await daemon.submit(...HOST, ...ledger.args, MINI, '--', 'sh', '-c', payload);
    await until(() => ledger.starts().length === 1 && stored(daemon, id)?.kind === 'running');
    const all = (await living(`${id}.1`))
      .trim()
      .split('\n')
      .map((path) => path.split('/')[2] ?? '');
    await onHost('vm', 'sh', '-c', `kill -KILL ${all.join(' ')}; true`);
    expect((await daemon.cli('wait', id)).stdout).toBe(`${id} interrupted TASK_INTERRUPTED\n`);
    expect(stored(daemon, id)).toMatchObject({ attempt: 1 });
    expect((await daemon.cli('logs', id)).stdout).toBe('on\n');
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });
});

/** Cancels a task whose step is held at a point, and starts the daemon again: it must stay cancelled. */
async function heldAndCancelled(
  point: string,
  state: string,
): Promise<{ starts: string[]; remains: string }> {
  await using daemon = makeDaemon();
  const ledger = startLedger(daemon);
  writeFileSync(join(daemon.dir, 'input'), basename(daemon.dir));
  await daemon.start({ TOWLINE_FAULT: `${point}:hold` });
  const id = await daemon.submit(
    ...[...HOST, ...ledger.args, '--input', join(daemon.dir, 'input')],
    ...['--output', 'result:result', MINI, '--', 'sh', '-c'],
    `${ledger.line}; echo it >result; ${state === 'collecting' ? 'true' : 'sleep 60'}`,
  );
  await heldAt(daemon, point);
  expect(stored(daemon, id)?.kind).toBe(state);
  expect((await daemon.cli('cancel', '--wait', id)).stdout).toBe(`${id} cancelled\n`);
  expect(await living(`${id}.1`)).toBe('');
  await daemon.kill('SIGKILL');
  await daemon.start();
  expect((await daemon.cli('host', 'show', 'vm')).code).toBe(0);
  expect(stored(daemon, id)).toMatchObject({ kind: 'cancelled', attempt: 1 });
  expect(await living(`${id}.1`)).toBe('');
  const starts = ledger.starts();
  expect(starts.length).toBeLessThanOrEqual(1);
  ledger.remove();
  return { starts, remains: await remains(daemon, `${id}.1`) };
}
