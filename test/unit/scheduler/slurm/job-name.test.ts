/** Goal: a job is found by its name, and shows what its task is called. Method: names of all kinds. */
import { expect, it } from 'vitest';
import { jobComment, jobName } from '../../../../src/scheduler/slurm/job-name.ts';

it('the name of a job is the prefix and the whole token', () => {
  expect(jobName('towline', 'k3v9.2')).toBe('towline-k3v9.2');
  expect(() => jobName('towline', 'a b')).toThrow('not a safe name');
  expect(() => jobName('towline', 'x%j')).toThrow('not a safe name');
});

it('the name of a task is cut between characters, by bytes', () => {
  expect(jobComment('reads of lane 7')).toBe('reads of lane 7');
  expect(jobComment('x'.repeat(300))).toBe('x'.repeat(200));
  expect(jobComment('ä'.repeat(300))).toBe('ä'.repeat(100));
  expect(jobComment(`${'x'.repeat(198)}€uro`)).toBe('x'.repeat(198));
  const family = '👩‍👩‍👧‍👦';
  const kept = jobComment(family.repeat(30));
  expect(kept).toBe(family.repeat(8));
  expect(Buffer.byteLength(kept)).toBe(200);
});
