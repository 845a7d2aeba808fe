/** For tests of steps on plain hosts: nothing may be asked of a scheduler. */
import type { AskUsage } from '../../src/engine/jobs/job-usage.ts';
import type { JobWatch } from '../../src/engine/jobs/job-watch.ts';
import type { Submitter } from '../../src/engine/jobs/submitter.ts';
import type { Watchers } from '../../src/engine/watchers.ts';

function never(): never {
  throw new Error('a plain host has no jobs');
}

export const NO_JOBS: {
  jobWatch: JobWatch;
  submitter: Submitter;
  askUsage: AskUsage;
  watchers: Watchers;
} = {
  askUsage: never,
  watchers: { watch: never, interest: never },
  jobWatch: { watch: never },
  submitter: { expect: never, publish: never, submit: never, settled: never },
};
