/** What is measured as it grows, by name: `scripts/bench growth` runs all of them. */
import type { Growth } from './growth.ts';
import { growHosts } from './hosts.ts';
import { growInputs } from './inputs.ts';
import { growOutput } from './output.ts';
import { growTasks } from './tasks.ts';

export const GROWTHS: Readonly<Record<string, () => Promise<Growth>>> = {
  'growth-tasks': growTasks,
  'growth-hosts': growHosts,
  'growth-output': growOutput,
  'growth-inputs': growInputs,
};
