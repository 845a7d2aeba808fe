/** Goal: only the ends that a fault explains are allowed. Method: one right end for each, then one thing wrong with it. */
import { describe, expect, test } from 'vitest';
import { allowed, type Outcome } from '../../seeds/allowed.ts';
import type { Kind } from '../../seeds/plan.ts';

const success: Outcome = {
  result: 'succeeded',
  code: 0,
  starts: 1,
  neverStarted: false,
  expectedCode: 0,
  streams: { stdout: 'whole', stderr: 'whole' },
  output: 'whole',
};
const failure = (code: string) => ({ code, hint: 'see: towline show' });
const exit7: Outcome = {
  ...success,
  ...{ result: 'failed', code: 7, expectedCode: 7, output: 'absent' },
  failure: failure('TASK_EXIT_CODE'),
};
const partial = { stdout: 'part', stderr: 'whole' } as const;
const copierDied: Outcome = {
  ...success,
  ...{
    result: 'error',
    failure: failure('STREAM_COPIER_DIED'),
    streams: partial,
    output: 'absent',
  },
};
const interrupted: Outcome = {
  ...success,
  ...{ result: 'interrupted', code: undefined, streams: partial, output: 'absent' },
  failure: failure('TASK_INTERRUPTED'),
};
const cancelled: Outcome = { ...success, ...{ result: 'cancelled', starts: 0, streams: partial } };

const judge = (outcome: Outcome, ...faults: Kind[]): string[] => allowed(new Set(faults), outcome);

describe('allowed', () => {
  test.each<[string, Outcome, Kind[]]>([
    ['a whole success without any fault', success, []],
    ['a whole success whatever happened', success, ['supervisor-kill', 'copier-kill', 'cancel']],
    ['the exit code of the payload', exit7, ['daemon-kill']],
    [
      'another exit code on a full disk',
      { ...exit7, code: 97, streams: partial },
      ['remote-disk-full'],
    ],
    ['a copier that was killed, said so', copierDied, ['copier-kill']],
    [
      'no space on a full disk',
      { ...copierDied, starts: 0, failure: failure('HOST_NO_SPACE') },
      ['remote-disk-full'],
    ],
    ['interrupted by a kill of the supervisor', interrupted, ['supervisor-kill']],
    ['cancelled before its start', { ...cancelled, neverStarted: true }, ['cancel']],
    ['cancelled after its start', { ...cancelled, starts: 1 }, ['cancel']],
  ])('%s', (_, outcome, faults) => {
    expect(judge(outcome, ...faults)).toEqual([]);
  });
});

describe('not allowed', () => {
  const wrong = { stdout: 'wrong', stderr: 'whole' } as const;
  test.each<[string, Outcome, Kind[], RegExp]>([
    ['a second start', { ...success, starts: 2 }, ['daemon-kill'], /started 2 times/],
    ['an end without a start', { ...success, starts: 0 }, [], /never started/],
    [
      'a start after its ticket was taken',
      { ...cancelled, starts: 1, neverStarted: true },
      ['cancel'],
      /ticket/,
    ],
    ['wrong bytes', { ...cancelled, streams: wrong }, ['cancel'], /never printed/],
    ['a success that lacks bytes', { ...success, streams: partial }, ['copier-kill'], /not whole/],
    ['a failure that lacks bytes', { ...exit7, streams: partial }, ['copier-kill'], /not whole/],
    ['a success with another code', { ...success, expectedCode: 3 }, [], /ends with 3/],
    ['a success without its output', { ...success, output: 'absent' }, [], /not there/],
    ['half an output', { ...cancelled, output: 'part' }, ['cancel'], /output has wrong bytes/],
    ['another exit code without a full disk', { ...exit7, code: 137 }, ['supervisor-kill'], /137/],
    ['cancelled by nobody', cancelled, ['daemon-kill'], /nobody asked/],
    ['interrupted by a lost link', interrupted, ['link-cut', 'daemon-kill'], /left alone/],
    ['a copier that died by a lost link', copierDied, ['black-hole'], /no fault explains/],
    ['failed by something else', { ...exit7, failure: failure('TASK_TIME_LIMIT') }, [], /no fault/],
    [
      'an error without a code',
      { ...copierDied, failure: undefined },
      ['copier-kill'],
      /without a code/,
    ],
    [
      'an error without a hint',
      { ...interrupted, failure: { code: 'TASK_INTERRUPTED', hint: '' } },
      ['supervisor-kill'],
      /without a hint/,
    ],
    ['a bug', { ...copierDied, failure: failure('INTERNAL') }, ['copier-kill'], /a bug/],
  ])('%s', (_, outcome, faults, said) => {
    expect(judge(outcome, ...faults).join()).toMatch(said);
  });
});
