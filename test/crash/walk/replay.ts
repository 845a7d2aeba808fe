/** What broke, and the command that does this one run again. */
import type { Outcome } from './walk.ts';

export function howAgain({ scenario, plan, violation }: Outcome): string {
  const what = scenario.startsWith('race-')
    ? `--race ${scenario.slice('race-'.length)}`
    : `--scenario ${scenario}`;
  return `VIOLATION: ${violation}\n  again: scripts/faults walk ${what} --only ${plan.join(',')}`;
}
