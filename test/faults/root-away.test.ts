/**
 * Goal: a remote root that cannot be seen is unknown, never empty: nothing starts twice, nothing is called
 * cancelled, dead or clean, and all goes on when the root is back.
 * Method: the root is on a mount of a spare host that is taken away while a task runs, between a launch and
 * its commit, while a task is cancelled and while one is cleaned; the mount point stays and can be written.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { killedBy } from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { blockedBy, submitPatient } from '../support/faults/patient-task.ts';
import { makeShare, type Share } from '../support/faults/share.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { shareOf } from '../support/share.ts';
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

const WAYS = [
  ['the mount is away', 'unmount', 'mount'],
  ['nobody may enter', 'close', 'open'],
] as const;

describe.each(shareOf(WAYS, 1))('%s', (_, away, back) => {
  test('row 21: of a running task nothing is said meanwhile; then it goes on', async () => {
    await using daemon = daemonOnShare();
    await daemon.start();
    const task = await submitPatient(daemon, spare);
    const { id, ledger } = task;
    await task.began();
    await share[away]();
    await blockedBy(daemon, id, AWAY);
    // a new connection makes no new root in the place of the one that is away
    await daemon.kill('SIGKILL');
    await daemon.start();
    await blockedBy(daemon, id, AWAY);
    if (away === 'unmount') expect(await share.below()).toEqual([]);
    await share[back]();
    await task.letEnd();
    const waited = await daemon.cli('wait', id);
    expect(waited.stdout + waited.stderr).toContain(`${id} failed 4`);
    expect((await daemon.cli('logs', id)).stdout).toBe('began\nended\n');
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });

  test('row 21: a task whose launch is not known to have worked is not started again', async () => {
    await using daemon = daemonOnShare();
    await daemon.start({ TOWLINE_FAULT: 'launch.after' });
    const task = await submitPatient(daemon, spare);
    const { id, ledger } = task;
    await killedBy(daemon, 'launch.after');
    await until(() => ledger.starts().length > 0);
    await share[away]();
    await daemon.start();
    await blockedBy(daemon, id, AWAY);
    if (away === 'unmount') expect(await share.below()).toEqual([]);
    await share[back]();
    await until(async () => (await daemon.show(id)).state === 'running');
    await task.letEnd();
    await daemon.cli('wait', id);
    expect((await daemon.show(id)).exitCode).toBe(4);
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });

  test('row 21: a cancel waits for the root, then ends what runs', async () => {
    await using daemon = daemonOnShare();
    await daemon.start();
    const task = await submitPatient(daemon, spare);
    const { id, ledger } = task;
    await until(() => ledger.starts().length > 0);
    await until(async () => (await daemon.show(id)).state === 'running');
    await share[away]();
    await daemon.cli('cancel', id);
    await blockedBy(daemon, id, AWAY);
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
    const id = await daemon.submit('--host', 'far', spare.image, '--', 'true');
    await killedBy(daemon, 'clean.before');
    await share[away]();
    await daemon.start();
    await blockedBy(daemon, id, AWAY);
    expect(await daemon.show(id)).toMatchObject({
      state: 'succeeded',
      cleanup: { state: 'pending' },
    });
    await share[back]();
    await until(async () => (await daemon.show(id)).cleanup.state === 'done');
    expect(await spare.sh(`find ${share.root}/tasks -name '${id}.1' -type d`)).toBe('');
  });
});
