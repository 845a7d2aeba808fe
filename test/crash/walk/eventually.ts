/** How long a walk waits for anything: longer than recovery takes on a machine that is busy with others. */
import { until } from '../../support/until.ts';

export const CONVERGE_MS = 120_000;

export function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  return until(condition, () => 'a condition of the walk', CONVERGE_MS);
}
