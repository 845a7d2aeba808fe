/** How often something is done: so many times at most, and not once more when it has taken so long. */
export interface Rounds {
  most: number;
  withinMs: number;
}

/** The numbers of the rounds, from 0. */
export function* turns({ most, withinMs }: Rounds): Generator<number> {
  const began = performance.now();
  for (let round = 0; round < most; round += 1) {
    if (round > 0 && performance.now() - began > withinMs) return;
    yield round;
  }
}
