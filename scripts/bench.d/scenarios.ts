/** What is measured, by name. */
import type { Scenario } from './compare.ts';
import { openManyTasks } from './many-tasks.ts';
import { openOverlay } from './overlay.ts';
import { openRunTrue } from './run-true.ts';

export const SCENARIOS: Readonly<Record<string, () => Promise<Scenario>>> = {
  'run-true': openRunTrue,
  'many-tasks': openManyTasks,
  overlay: openOverlay,
};
