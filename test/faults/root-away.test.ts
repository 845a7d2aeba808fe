/**
 * Goal: a remote root that cannot be seen is unknown, never empty: nothing starts twice, nothing is called
 * cancelled, dead or clean, and all goes on when the root is back.
 * Method: the root is on a mount of a spare host that is taken away while a task runs, between a launch and
 * its commit, while a task is cancelled and while one is cleaned; the mount point stays and can be written.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { killedBy, startLedger } from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { makeShare, type Share } from '../support/faults/share.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { until } from '../support/until.ts';

let spare: SpareHost;
let share: Share;

beforeAll(async () => {
  spare = await startSpareHost();
  share = await makeShare(spare);
});

afterEach(async () => {
  await share.mount();
  await share.open();
});

afterAll(() => spare[Symbol.asyncDispose]());

const AWAY = 'HOST_ROOT_UNAVAILABLE';

function daemonOnShare(): TestDaemon {
  return makeDaemon({
    hosts: { far: { on: spare.name, keys: { ...spare.keys, root: share.root } } },
  });
}

async function blockedOn(daemon: TestDaemon, id: string, code: string): Promise<void> {
  await until(
    async () => (await daemon.show(id)).blocked?.reason === code,
    () => `${id} blocked by ${code}; ${daemon.log().slice(-2_000)}`,
  );
}

/** A payload that notes its start, prints, and ends when the file `go` is in its work directory. */
function patient(daemon: TestDaemon) {
  const ledger = startLedger(daemon);
  const payload = `${ledger.line}; echo began; until [ -e go ]; do sleep 0.1; done; echo ended; exit 4`;
  const args = ['--host', 'far', ...ledger.args, MINI, '--', 'sh', '-c', payload];
  return { ledger, args };
}

async function letEnd(daemon: TestDaemon, id: string): Promise<void> {
  const { remoteDir } = await daemon.show(id);
  await spare.as('alice', `touch '${remoteDir}/work/go'`);
}

describe.each([
  ['the mount is away', 'unmount', 'mount'],
  ['nobody may enter', 'close', 'open'],
] as const)('%s', (_, away, back) => {
  test('row 21: of a running task nothing is said meanwhile; then it goes on', async () => {
    await using daemon = daemonOnShare();
    await daemon.start();
    const { ledger, args } = patient(daemon);
    const id = await daemon.submit(...args);
    await until(() => ledger.starts().length > 0);
    await until(async () => (await daemon.cli('logs', id)).stdout === 'began\n');
    await share[away]();
    await blockedOn(daemon, id, AWAY);
    // a new connection makes no new root in the place of the one that is away
    await daemon.kill('SIGKILL');
    await daemon.start();
    await blockedOn(daemon, id, AWAY);
    if (away === 'unmount') expect(await share.below()).toEqual([]);
    await share[back]();
    await letEnd(daemon, id);
    const waited = await daemon.cli('wait', id);
    expect(waited.stdout + waited.stderr).toContain(`${id} failed 4`);
    expect((await daemon.cli('logs', id)).stdout).toBe('began\nended\n');
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });

  test('row 21: a task whose launch is not known to have worked is not started again', async () => {
    await using daemon = daemonOnShare();
    await daemon.start({ TOWLINE_FAULT: 'launch.after' });
    const { ledger, args } = patient(daemon);
    const id = await daemon.submit(...args);
    await killedBy(daemon, 'launch.after');
    await until(() => ledger.starts().length > 0);
    await share[away]();
    await daemon.start();
    await blockedOn(daemon, id, AWAY);
    if (away === 'unmount') expect(await share.below()).toEqual([]);
    await share[back]();
    await until(async () => (await daemon.show(id)).state === 'running');
    await letEnd(daemon, id);
    await daemon.cli('wait', id);
    expect((await daemon.show(id)).exitCode).toBe(4);
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });

  test('row 21: a cancel waits for the root, then ends what runs', async () => {
    await using daemon = daemonOnShare();
    await daemon.start();
    const { ledger, args } = patient(daemon);
    const id = await daemon.submit(...args);
    await until(() => ledger.starts().length > 0);
    await until(async () => (await daemon.show(id)).state === 'running');
    await share[away]();
    await daemon.cli('cancel', id);
    await blockedOn(daemon, id, AWAY);
    expect((await daemon.show(id)).state).toBe('cancelling');
    await share[back]();
    await daemon.cli('wait', id);
    expect((await daemon.show(id)).state).toBe('cancelled');
    expect(await spare.sh(`grep -lzs 'TOWLINE_ATTEMPT=${id}' /proc/[0-9]*/environ; true`)).toBe('');
    ledger.remove();
  });

  test('row 21: what is to be removed is not called removed while it cannot be seen', async () => {
    await using daemon = daemonOnShare();
    await daemon.start({ TOWLINE_FAULT: 'clean.before' });
    const id = await daemon.submit('--host', 'far', MINI, '--', 'true');
    await killedBy(daemon, 'clean.before');
    await share[away]();
    await daemon.start();
    await blockedOn(daemon, id, AWAY);
    expect(await daemon.show(id)).toMatchObject({
      state: 'succeeded',
      cleanup: { state: 'pending' },
    });
    await share[back]();
    await until(async () => (await daemon.show(id)).cleanup.state === 'done');
    expect(await spare.sh(`find ${share.root}/tasks -name '${id}.1' -type d`)).toBe('');
  });
});
