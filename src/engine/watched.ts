/** An attempt that is looked at: who asked, what was seen of it, and what it waits for. */
import type { AppError } from '../domain/failure.ts';
import type { LaunchRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { Verdict } from '../script/verdict.ts';
import type { Known } from './glance.ts';
import type { Pump } from './stream-pump.ts';

export interface WatchRequest {
  token: AttemptToken;
  dir: string;
  launch?: LaunchRecord | undefined;
  /** It began just now. */
  isFresh?: boolean;
  /** Of one that waits for its job, which is asked for by its ticket alone: whether the job still waits, too. */
  isQueued?: () => boolean;
  signal: AbortSignal;
  trouble: (error: AppError | undefined) => Promise<void>;
}

/** A verdict to act on; both streams have been read as far as they were when it was made. */
export interface Seen {
  verdict: Verdict;
  killed: boolean;
}

export const FINE = 'fine';

export interface Watched {
  request: WatchRequest;
  /** By the clock of looks. */
  sinceMs: number;
  /** Made with the first look that sees the attempt: of thousands on a host that is away none is needed. */
  pump?: Pump;
  isQueued: () => boolean;
  /** Its ticket was there. */
  isWaiting: boolean;
  /** The code of the trouble that was told last, FINE for none: the same again is no news. */
  told?: string;
  previous: Verdict | undefined;
  known?: Known | undefined;
  isEnd: (seen: Seen) => boolean;
  resolve: (seen: Seen) => void;
  reject: (error: unknown) => void;
  /** Hears no more of its signal. */
  unhear: () => void;
  ending: boolean;
}
