/**
 * What a seed means: tasks and the faults that hit them, as plain data. Pure, so that a run that failed is played
 * again from its number alone. Moments are steps of a task ("task 2 runs"), not times of day.
 */

/** Faults, and what a user may do in the middle of them. */
export const KINDS = [
  'daemon-kill',
  'daemon-stop',
  'supervisor-kill',
  'supervisor-stop',
  'copier-kill',
  'session-kill',
  'session-stop',
  'sftp-stop',
  'link-cut',
  'reset-after-request',
  'reset-after-reply',
  'black-hole',
  'lose-requests',
  'lose-replies',
  'remote-disk-full',
  'local-disk-full',
  'cancel',
  'retry',
] as const;
export type Kind = (typeof KINDS)[number];

/** Steps that an act can wait for; a task that is past a step counts as having reached it. */
export const STEPS = [
  'submitted',
  'staging',
  'pulling',
  'launching',
  'running',
  'collecting',
  'ended',
] as const;
export type Step = (typeof STEPS)[number];

export interface PlannedStream {
  bytes: number;
  /** Whether the last byte is a newline. */
  newline: boolean;
}

export interface PlannedTask {
  stdout: PlannedStream;
  stderr: PlannedStream;
  /** The streams come in so many pieces with a pause after each. */
  pieces: number;
  pauseMs: number;
  /** Exit code of each attempt; the last one is that of all later ones. */
  codes: number[];
  retries: number;
  output: boolean;
  cleanup: 'always' | 'on-success';
  submitAfterMs: number;
}

export interface Act {
  kind: Kind;
  /** The task whose step is waited for, and which is hit where an act hits one task. */
  task: number;
  step: Step;
  /** And so long after it. */
  thenMs: number;
  /** How long it lasts, where it lasts. */
  forMs: number;
  /** Chooses among what is there: which copier, which session, which byte. */
  pick: number;
}

export interface Plan {
  seed: number;
  /** Tasks that the host takes at a time. */
  slots: number;
  /** Logs in with a key under a passphrase, which costs each login some time. */
  passphrase: boolean;
  tasks: PlannedTask[];
  acts: Act[];
}

/** How often a kind comes, against the others. */
const WEIGHTS: Record<Kind, number> = {
  'daemon-kill': 5,
  'daemon-stop': 2,
  'supervisor-kill': 3,
  'supervisor-stop': 2,
  'copier-kill': 2,
  'session-kill': 3,
  'session-stop': 3,
  'sftp-stop': 2,
  'link-cut': 3,
  'reset-after-request': 3,
  'reset-after-reply': 3,
  'black-hole': 2,
  'lose-requests': 2,
  'lose-replies': 2,
  'remote-disk-full': 2,
  'local-disk-full': 2,
  cancel: 3,
  retry: 2,
};

const SIZES = [0, 1, 19, 4_096, 65_536, 65_537, 300_000, 1_000_000, 2_500_000] as const;
/** Long enough for a silent link to be given up. */
const LONG_MS = 8_000;

/** Gives the run of a seed with so many tasks. */
export function planOf(seed: number, tasks: number): Plan {
  const dice = mulberry32(seed);
  const below = (limit: number): number => Math.floor(dice() * limit);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const stream = (): PlannedStream => ({ bytes: oneOf(SIZES), newline: dice() < 0.5 });
  const task = (): PlannedTask => {
    const [first, retries] = [dice() < 0.25 ? 1 + below(120) : 0, dice() < 0.3 ? 1 : 0];
    return {
      stdout: stream(),
      stderr: stream(),
      pieces: 1 + below(4),
      pauseMs: below(900),
      codes: retries > 0 && dice() < 0.5 ? [first, 0] : [first],
      retries,
      output: dice() < 0.7,
      cleanup: dice() < 0.8 ? 'always' : 'on-success',
      submitAfterMs: dice() < 0.7 ? 0 : below(2_000),
    };
  };
  let struck = 0;
  const act = (): Act => {
    const kind = weighted(dice());
    // two faults in one task find what two faults in two do not
    if (dice() < 0.6) struck = below(tasks);
    return {
      kind,
      task: struck,
      step: stepFor(kind, oneOf(STEPS)),
      thenMs: dice() < 0.5 ? 0 : below(700),
      forMs: dice() < 0.15 ? LONG_MS : 200 + below(2_000),
      pick: below(1 << 16),
    };
  };
  return {
    seed,
    slots: 2 + below(5),
    passphrase: dice() < 0.2,
    tasks: Array.from({ length: tasks }, task),
    acts: Array.from({ length: 4 + below(4) }, act),
  };
}

/** A process of an attempt is there while it runs, and a task can be retried when it has ended. */
function stepFor(kind: Kind, drawn: Step): Step {
  if (kind === 'retry') return 'ended';
  const ofAttempt = ['supervisor-kill', 'supervisor-stop', 'copier-kill'];
  return ofAttempt.includes(kind) ? 'running' : drawn;
}

function weighted(drawn: number): Kind {
  const total = KINDS.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
  let left = drawn * total;
  for (const kind of KINDS) {
    left -= WEIGHTS[kind];
    if (left < 0) return kind;
  }
  return 'daemon-kill';
}

/** A small generator with a period of 2^32: the same numbers on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
