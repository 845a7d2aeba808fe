/** What the lists of Slurm mean for a job: words as Slurm 26.05 prints them. */
import { expect, test } from 'vitest';
import { covers } from '../../../../src/scheduler/slurm/job-ids.ts';
import { parseDetail, parseQueue } from '../../../../src/scheduler/slurm/queue.ts';

const hex = (text: string): string =>
  Buffer.from(text).toString('hex').replace(/../g, '$& ').trim();
const JOB = { id: '12', name: 'towline-x.1' };

test.each([
  ['12', '12', true],
  ['12', '13', false],
  ['8_[0-9]', '8_7', true],
  ['8_[0-6,9]', '8_7', false],
  ['8_[0-6,7%2]', '8_7', true],
  ['8_[0-9:3]', '8_6', true],
  ['8_[0-9:3]', '8_7', false],
  ['8_[0-9]', '9_7', false],
  ['8_7', '8_7', true],
  ['8', '8_7', false],
])('%s covers %s: %s', (listed, id, is) => {
  expect(covers(listed, id)).toBe(is);
});

test.each([
  ['12|RUNNING|None|2026-11-29T06:01:13|hpcn1|towline-x.1', { kind: 'running', node: 'hpcn1' }],
  ['12|COMPLETING|None|N/A||towline-x.1', { kind: 'running' }],
  ['12|PENDING|PartitionConfig|N/A||towline-x.1', { kind: 'pending', reason: 'PartitionConfig' }],
  [
    '12|PENDING|Resources|2026-11-29T06:02:13||towline-x.1',
    { kind: 'pending', reason: 'Resources', startsAt: '2026-11-29T06:02:13' },
  ],
  [
    '12|TIMEOUT|TimeLimit|N/A|hpcn1|towline-x.1',
    { kind: 'ended', end: { why: 'time-limit', state: 'TIMEOUT', reason: 'TimeLimit' } },
  ],
  [
    '12|CANCELLED|None|N/A||towline-x.1',
    { kind: 'ended', end: { why: 'cancelled', state: 'CANCELLED' } },
  ],
  [
    '12|DANCING|None|N/A||towline-x.1',
    { kind: 'unknown', why: 'a state that is not known: "DANCING"' },
  ],
  ['13|RUNNING|None|N/A||towline-x.1', { kind: 'unlisted' }],
])('%s is %j', (row, sight) => {
  expect(parseQueue(`@ job ${row}\n@ squeue 0 \n`, [JOB])).toEqual([sight]);
});

test('an id that was given to another job is not ours', () => {
  const row = '@ job 12|RUNNING|None|N/A|n1|somebody else | with bars\n@ squeue 0 ';
  expect(parseQueue(row, [JOB])).toEqual([{ kind: 'unlisted' }]);
});

test.each([
  ['', 'squeue gave no answer'],
  [
    `@ squeue 1 ${hex('slurm_load_jobs error: Unable to contact slurm controller (connect failure)')}`,
    /connect failure/,
  ],
  ['@ squeue 124 ', 'squeue did not answer in time'],
])('of %j nothing is known', (output, why) => {
  const found = parseQueue(output, [JOB]);
  expect(found).toEqual([{ kind: 'unknown', why: expect.stringMatching(why) }]);
});

test('an empty list says only that it does not list it', () => {
  expect(parseQueue('@ squeue 0 ', [JOB])).toEqual([{ kind: 'unlisted' }]);
});

const RECORD =
  'JobId=12 JobName=towline-x.1 UserId=alice(1000) JobState=FAILED Reason=NonZeroExitCode Restarts=0 ExitCode=42:0 StartTime=2026-11-29T06:01:13 NodeList=hpcn1';
const NO_ACCOUNTING = `@ sacct 1 ${hex('Slurm accounting storage is disabled')}`;
const NO_SUCH_JOB = `@ show 12 1 ${hex('slurm_load_jobs error: Invalid job id specified')}`;

test('the controller tells how it ended', () => {
  const output = `${NO_ACCOUNTING}\n@ record 12 ${RECORD}\n@ show 12 0 `;
  expect(parseDetail(output, [JOB])).toEqual([
    {
      kind: 'ended',
      end: { why: 'failed', state: 'FAILED', exitCode: '42:0', reason: 'NonZeroExitCode' },
    },
  ]);
});

test('a controller that has forgotten it denies it; accounting knows its end', () => {
  expect(parseDetail(`${NO_ACCOUNTING}\n${NO_SUCH_JOB}`, [JOB])).toEqual([
    { kind: 'denied', why: 'slurm_load_jobs error: Invalid job id specified' },
  ]);
  const told = `@ row 12|OUT_OF_MEMORY|0:125|None|towline-x.1\n@ sacct 0 \n${NO_SUCH_JOB}`;
  expect(parseDetail(told, [JOB])).toEqual([
    { kind: 'ended', end: { why: 'out-of-memory', state: 'OUT_OF_MEMORY', exitCode: '0:125' } },
  ]);
});

test('accounting that lags behind, or speaks of another job of this id, ends nothing', () => {
  const lags = `@ row 12|RUNNING|0:0|None|towline-x.1\n@ sacct 0 \n${NO_SUCH_JOB}`;
  expect(parseDetail(lags, [JOB])).toMatchObject([{ kind: 'denied' }]);
  const other = `@ row 12|COMPLETED|0:0|None|other\n@ sacct 0 \n${NO_SUCH_JOB}`;
  expect(parseDetail(other, [JOB])).toMatchObject([{ kind: 'denied' }]);
  const reused = `${NO_ACCOUNTING}\n@ record 12 ${RECORD.replace('towline-x.1', 'other')}\n@ show 12 0 `;
  expect(parseDetail(reused, [JOB])).toEqual([
    { kind: 'denied', why: 'job 12 is another one by now' },
  ]);
});

test.each([
  ['', 'scontrol did not answer in time'],
  ['@ scontrol 124', 'scontrol did not answer in time'],
  [`@ show 12 1 ${hex('Unable to contact slurm controller')}`, /Unable to contact/],
  ['@ show 12 0 ', 'scontrol answered nothing'],
])('an answer like %j says nothing', (output, why) => {
  expect(parseDetail(`${NO_ACCOUNTING}\n${output}`, [JOB])).toEqual([
    { kind: 'unknown', why: expect.stringMatching(why) },
  ]);
});
