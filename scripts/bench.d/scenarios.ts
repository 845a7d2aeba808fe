/** What is measured, by name. */
import type { Scenario } from './compare.ts';
import { openFirstByte } from './first-byte.ts';
import { GROWTHS } from './growth/growths.ts';
import { measureHosts1000 } from './hosts-1000.ts';
import { openLargeOutput } from './large-output.ts';
import { openManyCommands } from './many-commands.ts';
import { openManyContainers } from './many-containers.ts';
import { openManyTasks } from './many-tasks.ts';
import type { Measure } from './measure.ts';
import { openOverlay } from './overlay.ts';
import { measureQueuedTasks } from './queued-tasks.ts';
import { measureQuietTasks } from './quiet-tasks.ts';
import type { RaceOptions, RaceResult } from './race.ts';
import { measureRestartRunning } from './restart-10k.ts';
import { openRunTrue } from './run-true.ts';
import type { Size } from './size.ts';
import { raceSlurm } from './slurm.ts';
import { STAGING_RACES } from './staging.ts';
import { measureTesPolls } from './tes-polls.ts';

export const SCENARIOS: Readonly<Record<string, (size: Size) => Promise<Scenario>>> = {
  'run-true': openRunTrue,
  'many-containers': openManyContainers,
  'many-commands': openManyCommands,
  'first-byte': openFirstByte,
  'large-output': openLargeOutput,
  'many-tasks': openManyTasks,
  overlay: openOverlay,
};

/** Those with more than one competitor, and more than one race. */
export const RACES: Readonly<Record<string, (options: RaceOptions) => AsyncIterable<RaceResult>>> =
  {
    ...STAGING_RACES,
    slurm: raceSlurm,
  };

/** Those without a competitor. */
export const MEASURES: Readonly<Record<string, (size: Size) => Promise<Measure>>> = {
  'quiet-tasks': measureQuietTasks,
  'queued-tasks': measureQueuedTasks,
  'restart-running': measureRestartRunning,
  'hosts-1000': measureHosts1000,
  'tes-polls': measureTesPolls,
};

/** What takes as long as many others, or has been found good enough: `scripts/bench growth` and so on. */
export const BY_NAME_ONLY: ReadonlySet<string> = new Set([
  'slurm',
  'many-tasks',
  'overlay',
  'tes-polls',
  'staging-far-tree',
  'staging-far-large',
  ...Object.keys(GROWTHS),
]);
