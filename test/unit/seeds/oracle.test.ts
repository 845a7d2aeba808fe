/** Goal: the oracle sees each kind of violation. Method: evidence of a good run, then the same with one lie in it. */
import { expect, test } from 'vitest';
import { type Evidence, judgeRun, type SeenAttempt, type Violation } from '../../seeds/oracle.ts';
import { planOf } from '../../seeds/plan.ts';

const plan = { ...planOf(1, 2), acts: [] };

function attempt(task: number, changes: Partial<SeenAttempt['outcome']> = {}): SeenAttempt {
  return {
    token: `t${task}.1`,
    task,
    faults: new Set(['daemon-kill']),
    outcome: {
      ...{ result: 'succeeded', code: 0, neverStarted: false, expectedCode: 0, output: 'whole' },
      streams: { stdout: 'whole', stderr: 'whole' },
      ...changes,
    },
  };
}

const good: Evidence = {
  ids: ['t0', 't1'],
  listed: ['t0', 't1'],
  attempts: [attempt(0), attempt(1)],
  open: [],
  ledger: ['t0.1 12', 't1.1 17'],
  unsettled: [],
  leaks: [],
  leftovers: [],
  daemon: [],
};

test('a good run has no violation', () => {
  expect(judgeRun(plan, good)).toEqual([]);
});

const lies: [string, Partial<Evidence>, Violation['kind'], RegExp][] = [
  ['a task that was never taken', { ids: ['t0', undefined] }, 'lost', /task 1 was never taken/],
  ['a task that is gone', { listed: ['t0'] }, 'lost', /task 1 \(t1\) is gone/],
  ['a task of nobody', { listed: ['t0', 't1', 't2'] }, 'strange', /t2/],
  [
    'a second start',
    { ledger: [...good.ledger, 't1.1 99'] },
    'attempt',
    /t1\.1 .* started 2 times/,
  ],
  ['a start that left no line', { ledger: ['t0.1 12'] }, 'attempt', /never started/],
  ['a start of an unknown attempt', { ledger: [...good.ledger, 't1.2 99'] }, 'ledger', /t1\.2 99/],
  ['a torn line in the ledger', { ledger: [...good.ledger, 't1.'] }, 'ledger', /t1\./],
  [
    'a tampered stream',
    { attempts: [attempt(0), attempt(1, { streams: { stdout: 'whole', stderr: 'wrong' } })] },
    'attempt',
    /stderr has bytes/,
  ],
  [
    'a tampered output',
    { attempts: [attempt(0, { output: 'wrong' }), attempt(1)] },
    'attempt',
    /output has wrong bytes/,
  ],
  [
    'a task that does not come to rest',
    { unsettled: ['t1.1 is still running'] },
    'unsettled',
    /running/,
  ],
  ['a secret', { leaks: ['passphrase in daemon.log'] }, 'leak', /passphrase/],
  ['a process that is left', { leftovers: ['process 9 cat'] }, 'leftover', /process 9/],
  ['a daemon that died', { daemon: ['the daemon ended by itself'] }, 'daemon', /by itself/],
];

test.each(lies)('%s is seen', (_, lie, kind, what) => {
  const found = judgeRun(plan, { ...good, ...lie });
  expect(found).toContainEqual({ kind, what: expect.stringMatching(what) });
});

test('an attempt that has not ended may have its line', () => {
  const ledger = [...good.ledger, 't1.2 20'];
  expect(judgeRun(plan, { ...good, ledger, open: ['t1.2'] })).toEqual([]);
});
