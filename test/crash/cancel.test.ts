/**
 * Goal: a cancel that was accepted is carried out whatever happens to the daemon. Method: the daemon is
 * killed at each point that a cancel of a running task passes, and started again; nobody asks again.
 */
import { describe, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { killedBy, living, startLedger, stored } from '../support/crash-task.ts';
import { makeDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const POINTS = [
  'commit.cancel-asked.after',
  'cancel.before',
  'cancel.after',
  'commit.gone.before',
  'commit.gone.after',
];

describe.concurrent('a daemon killed while it cancels', () => {
  test.each(POINTS)('at %s: the task is cancelled after a restart', async (point) => {
    await using daemon = makeDaemon();
    const ledger = startLedger(daemon);
    await daemon.start({ TOWLINE_FAULT: `${point}:kill` });
    const payload = `${ledger.line}; sleep 60`;
    const id = await daemon.submit('--host', 'vm', ...ledger.args, MINI, '--', 'sh', '-c', payload);
    await until(() => ledger.starts().length === 1);
    const asked = daemon.cli('cancel', id);
    await killedBy(daemon, point);
    await daemon.start();
    await asked;
    expect((await daemon.cli('wait', id)).stdout).toMatch(`${id} cancelled`);
    expect(stored(daemon, id)).toMatchObject({ kind: 'cancelled', attempt: 1 });
    expect(await living(`${id}.1`)).toBe('');
    expect(ledger.starts()).toEqual([`${id}.1`]);
    ledger.remove();
  });
});
