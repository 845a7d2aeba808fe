import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { keeping } from './test/support/kept-scripts/preload.mjs';
import { PATIENCE } from './test/support/patience.ts';

/** Files that count, cut or restart what a whole host of the bed has, judge how soon it is used, or load the machine: nothing else may be there then. */
const ALONE = [
  'test/e2e/bed.test.ts',
  'test/e2e/bench.test.ts',
  'test/e2e/bed-slurm-away.test.ts',
  'test/e2e/budget.test.ts',
  'test/e2e/doctor.test.ts',
  'test/e2e/errors-link.test.ts',
  'test/e2e/host-acts.test.ts',
  'test/e2e/inside.test.ts',
  'test/e2e/jump.test.ts',
  'test/e2e/placement.test.ts',
  'test/e2e/slurm-away.test.ts',
  'test/faults/hour.test.ts',
  'test/faults/model-hosts.test.ts',
  'test/faults/restart-running.test.ts',
  'test/faults/soak.test.ts',
];

const WITH_DAEMON = ['test/{e2e,crash,faults,seeds}/**/*.test.ts'];

/** They take minutes: begun last, all others would have ended long before them. */
const LONG = ['crash/every-point', 'seeds/seeds', 'e2e/budget-sshd', 'faults/network'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((name) => moduleId.endsWith(`test/${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * Daemons and hosts mostly wait, for each other and for time to pass: with two at a time the cores of where CI runs are
 * idle now and then, with four each file takes more than twice as long.
 */
const WORKERS = 3;
/** Unit and contract tests run beside each other, so that there are twice as many. */
const SHARED_WORKERS = 2;

/** Tests that call src/script themselves; daemons do it by test/support/kept-scripts/preload.mjs alone. */
const plugins = [{ name: 'kept-scripts', transform: keeping }];

/** unit needs nothing but Node and a POSIX shell, the others the test bed (scripts/testbed up). */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        plugins,
        test: {
          name: 'unit',
          include: ['test/{unit,property,architecture,golden,simulation}/**/*.test.ts'],
          testTimeout: 30_000 * PATIENCE,
          maxWorkers: SHARED_WORKERS,
          // no file of these changes what the next one finds: a new process for each costs more than most of them
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins,
        test: {
          name: 'contract',
          include: ['test/{contract,integration}/**/*.test.ts'],
          testTimeout: 60_000 * PATIENCE,
          hookTimeout: 120_000 * PATIENCE,
          maxWorkers: SHARED_WORKERS,
          // beside the unit tests, which wait for nothing; not beside those with daemons: both fill the small disk
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins,
        test: {
          name: 'e2e',
          include: WITH_DAEMON,
          exclude: ALONE,
          testTimeout: 180_000 * PATIENCE,
          hookTimeout: 180_000 * PATIENCE,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins,
        test: {
          name: 'alone',
          include: ALONE,
          testTimeout: 180_000 * PATIENCE,
          hookTimeout: 180_000 * PATIENCE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
