/**
 * Goal: one name for several machines, or another machine in the place of one, proves nothing about an
 * attempt: it is unknown and waits, and goes on when its own machine is there again.
 * Method: two spare hosts with the same machine id and the same homes behind one port that is turned from
 * one to the other and back, as a round-robin name does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { blockedBy, submitPatient } from '../support/faults/patient-task.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const AWAY = 'HOST_ROOT_UNAVAILABLE';

let first: SpareHost;
let second: SpareHost;
let name: TcpProxy;
let daemon: TestDaemon;

beforeAll(async () => {
  first = await startSpareHost();
  const { machineId } = first.identity;
  second = await startSpareHost({ identity: { machineId }, homes: first });
  name = await startTcpProxy(first.port);
  daemon = makeDaemon({ hosts: { far: { on: first.name, keys: {} } } });
  const pins = [first, second].map(({ knownHosts }) => readFileSync(knownHosts, 'utf8')).join('');
  const knownHosts = join(daemon.dir, 'known_hosts');
  writeFileSync(knownHosts, pins.replaceAll(/\]:\d+/g, `]:${name.port}`));
  const keys = { ...first.keys, port: String(name.port), known_hosts: knownHosts };
  writeFileSync(
    daemon.configFile,
    `${readFileSync(daemon.configFile, 'utf8')}\n${Object.entries(keys)
      .map(([key, value]) => `${key} = ${value}`)
      .join('\n')}\n`,
  );
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await name.stop();
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

function resolveTo(spare: SpareHost): void {
  name.retarget(spare.port);
  name.cut();
}

test('host life: on a clone of its machine a task is unknown, not interrupted, and goes on when the name turns back', async () => {
  const task = await submitPatient(daemon, first, '--retries', '1', '--retry-on', 'interrupted');
  await task.began();
  for (const other of [second, first, second]) {
    resolveTo(other);
    if (other === second) await blockedBy(daemon, task.id, AWAY);
    else await until(async () => (await daemon.show(task.id)).blocked === undefined);
    expect(await daemon.show(task.id)).toMatchObject({ state: 'running', attempt: 1 });
  }
  // the clone was booted since: still another machine, not a reboot of the first
  await second.reboot();
  await blockedBy(daemon, task.id, AWAY);
  const shown = await daemon.show(task.id);
  expect(shown).toMatchObject({ state: 'running', attempt: 1 });
  resolveTo(first);
  await task.letEnd();
  expect(await task.end()).toBe('failed');
  expect(await daemon.show(task.id)).toMatchObject({ attempt: 1, exitCode: 4 });
  expect((await daemon.cli('logs', task.id)).stdout).toBe('began\nended\n');
  expect(task.ledger.starts()).toEqual([`${task.id}.1`]);
  task.ledger.remove();
});

test('host life: a cancel does not believe a clone, and signals nobody there', async () => {
  const task = await submitPatient(daemon, first);
  await task.began();
  resolveTo(second);
  await daemon.cli('cancel', task.id);
  await blockedBy(daemon, task.id, AWAY);
  expect(await daemon.show(task.id)).toMatchObject({ state: 'cancelling' });
  resolveTo(first);
  expect(await task.end()).toBe('cancelled');
  expect(await first.sh(`grep -lzs '${task.id}' /proc/[0-9]*/environ; true`)).toBe('');
  task.ledger.remove();
});
