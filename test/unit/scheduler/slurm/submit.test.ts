/** What sbatch says, as Slurm 26.05 and sites print it. */
import { expect, test } from 'vitest';
import { judgeSubmit, submitCommand } from '../../../../src/scheduler/slurm/submit.ts';

test.each([
  ['a warning beside the id', { code: 0, id: '12', stderr: 'sbatch: warning: can be slow' }],
  [
    'an error beside the id',
    { code: 1, id: '12', stderr: 'temporarily unable to accept job, sleeping and retrying' },
  ],
  ['a time-out after the id', { code: 124, id: '12', stderr: '' }],
])('%s: the id counts', (_, reply) => {
  expect(judgeSubmit({ stdout: '12\n', ...reply }, 'hpc')).toEqual({ kind: 'accepted', id: '12' });
});

const AGAIN = 'Slurm temporarily unable to accept job, sleeping and retrying';

test.each([
  [124, '', 'unsure', 'SLURM_UNAVAILABLE'],
  [0, 'nothing like an id', 'unsure', 'SLURM_UNAVAILABLE'],
  [1, '', 'unsure', 'SLURM_UNAVAILABLE'],
  [
    1,
    'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation',
    'unsure',
    'SLURM_UNAVAILABLE',
  ],
  [
    1,
    'sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)',
    'unsure',
    'SLURM_UNAVAILABLE',
  ],
  [
    1,
    'sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received',
    'unsure',
    'SLURM_UNAVAILABLE',
  ],
  [127, 'sh: 1: sbatch: not found', 'refused', 'SLURM_MISSING'],
  [
    1,
    'sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy',
    'refused',
    'SLURM_FULL',
  ],
  [1, `sbatch: error: ${AGAIN}`, 'refused', 'SLURM_FULL'],
  [
    1,
    'sbatch: error: invalid partition specified: nosuch\nsbatch: error: Batch job submission failed: Invalid partition name specified',
    'refused',
    'SLURM_REFUSED',
  ],
  [
    1,
    'sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available',
    'refused',
    'SLURM_REFUSED',
  ],
  [
    1,
    'sbatch: error: Batch job submission failed: Invalid feature specification',
    'refused',
    'SLURM_REFUSED',
  ],
  [
    255,
    'sbatch: unrecognized option \'--x\'\nTry "sbatch --help" for more information',
    'refused',
    'SLURM_REFUSED',
  ],
  [
    1,
    'sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified',
    'refused',
    'SLURM_REFUSED',
  ],
])('code %i with %j is %s: %s', (code, stderr, kind, error) => {
  expect(judgeSubmit({ code, stdout: 'Welcome\n', stderr }, 'hpc')).toMatchObject({
    kind,
    error: { code: error },
  });
});

test('what the protocol needs stands after the words of the task', () => {
  const command = submitCommand({
    request: { args: ['--partition=long'], notes: [] },
    ...{ name: 'towline-b1', count: 3, walltimeMs: 61_000, comment: 'my task', directory: '/r' },
  });
  expect(command).toEqual([
    ...['sbatch', '--comment=my task', '--partition=long', '--time=2'],
    ...['--parsable', '--no-requeue', '--open-mode=append', '--array=0-2', '--job-name=towline-b1'],
    ...['--chdir=/r', '--output=log-%a', '--error=log-%a', 'job.sh'],
  ]);
});
