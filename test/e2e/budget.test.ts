/**
 * Goal: Towline is a good guest: a hundred tasks at once cost few logins, round trips and processes.
 * Method: a hundred silent tasks through one daemon with a key of its own, so that its logins can be
 * told in sshd's log; its counters, the store's, and the host's count of processes before and after.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostCounters } from '../../src/remote/host.ts';
import { bedLog, MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { hostCounters } from '../support/host-counters.ts';
import { metrics } from '../support/metrics.ts';

const TASKS = 100;

interface Spent {
  counters: HostCounters;
  transactions: number;
  changes: number;
  processes: number;
}

let daemon: TestDaemon;
let fingerprint = '';
let logBefore = 0;
let spent: Spent;
let waited: { code: number | null; stdout: string };
let bareProcesses = 0;

beforeAll(async () => {
  daemon = makeDaemon();
  const key = join(daemon.dir, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'towline-budget', '-f', key]);
  fingerprint = execFileSync('ssh-keygen', ['-lf', key], { encoding: 'utf8' }).split(' ')[1] ?? '';
  const append = 'printf "%s\\n" "$0" >>/home/alice/.ssh/authorized_keys';
  await onHost('vm', 'sh', '-c', append, readFileSync(`${key}.pub`, 'utf8').trim());
  const config = readFileSync(daemon.configFile, 'utf8');
  writeFileSync(daemon.configFile, config.replace(/identity_file = .*/, `identity_file = ${key}`));
  logBefore = bedLog('sshd').length;
  await daemon.start();
  await daemon.run('true');
  bareProcesses = await processesOfBareExec();
  spent = await spentBy(hundredTasks);
});

afterAll(async () => {
  await onHost('vm', 'sed', '-i', '/towline-budget/d', '/home/alice/.ssh/authorized_keys');
  await daemon[Symbol.asyncDispose]();
});

async function hundredTasks(): Promise<void> {
  const file = join(daemon.dir, 'hundred.ndjson');
  const task = JSON.stringify({ image: MINI, command: ['true'] });
  writeFileSync(file, `${task}\n`.repeat(TASKS));
  const ids = (await daemon.submit('--file', file)).split('\n');
  waited = await daemon.cli('wait', ...ids);
}

/** The newest pid of the host's namespace: its difference counts all processes and threads begun there. */
async function newestPid(): Promise<number> {
  return Number((await onHost('vm', 'cat', '/proc/loadavg')).trim().split(' ').at(-1));
}

async function spentBy(act: () => Promise<void>): Promise<Spent> {
  const [counters, numbers, pid] = [
    await hostCounters(daemon),
    await metrics(daemon),
    await newestPid(),
  ];
  await act();
  const processes = (await newestPid()) - pid;
  const after = await hostCounters(daemon);
  const difference = Object.entries(after).map(([name, value]) => [
    name,
    (value as number) - counters[name as keyof HostCounters],
  ]);
  const now = await metrics(daemon);
  const more = (name: string): number => (now[name] ?? 0) - (numbers[name] ?? 0);
  return {
    counters: Object.fromEntries(difference) as HostCounters,
    transactions: more('towline_store_transactions_total'),
    changes: more('towline_store_changes_total'),
    processes,
  };
}

/** What one `apptainer exec` of the same command needs by itself: the median of some. */
async function processesOfBareExec(): Promise<number> {
  const image = '/home/alice/test-images/registry_5000_mini_1-*.sif';
  const loop = `for i in 1 2 3 4 5 6 7 8 9; do
    read -r _ _ _ _ before </proc/loadavg
    apptainer exec --containall --cleanenv ${image} true
    read -r _ _ _ _ after </proc/loadavg
    echo $((after - before))
  done 2>/dev/null`;
  const alice = ['setpriv', '--reuid=alice', '--regid=alice', '--clear-groups'];
  const counts = (await onHost('vm', ...alice, 'sh', '-c', loop)).trim().split('\n').map(Number);
  return counts.toSorted((a, b) => a - b)[4] ?? 0;
}

test('a hundred tasks submitted at once to one host all succeed', async () => {
  expect(waited.code, waited.stdout).toBe(0);
  const { stdout } = await daemon.cli('list', '--json', '--limit', '200');
  const states = (JSON.parse(stdout) as { tasks: { state: string }[] }).tasks.map(
    ({ state }) => state,
  );
  expect(states).toEqual(Array.from({ length: TASKS + 1 }, () => 'succeeded'));
});

test('they need no more than four logins, and none is refused', () => {
  const lines = bedLog('sshd').slice(logBefore).split('\n');
  const accepted = lines.filter((line) => line.includes('Accepted') && line.includes(fingerprint));
  expect(accepted.length).toBeGreaterThanOrEqual(1);
  expect(accepted.length).toBeLessThanOrEqual(4);
  expect(lines.filter((line) => /drop connection|penalty|past MaxStartups/i.test(line))).toEqual(
    [],
  );
  expect(spent.counters.logins).toBe(0);
});

test('silent tasks share one shell for slow commands and read no file over SFTP', () => {
  expect(spent.counters.channels).toBeLessThanOrEqual(1);
  expect(spent.counters.sftpRequests).toBe(0);
});

test('a task costs few commands on the host, and tasks share round trips', () => {
  // The image, the launch, the cleaning; looks at running tasks are for all of them.
  expect(spent.counters.shellCommands / TASKS).toBeLessThan(4.5);
  expect(spent.counters.shellBatches).toBeLessThan(spent.counters.shellCommands);
});

test('a task costs few changes of its record, and tasks share commits', () => {
  expect(spent.changes / TASKS).toBeLessThanOrEqual(6);
  expect(spent.transactions).toBeLessThan(spent.changes);
});

test('a task costs few processes on the host beside those of its container', () => {
  expect(spent.processes / TASKS - bareProcesses).toBeLessThan(40);
});
