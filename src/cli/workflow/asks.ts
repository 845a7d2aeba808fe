/** Ctrl-C while a workflow is followed: once, twice, and a third time for those in a hurry. */
import { hearSignals, leaveNow } from '../run/signals.ts';

export interface Asks {
  /** No new tasks. */
  slow: Promise<void>;
  /** Cancel all. */
  all: Promise<void>;
  hungUp: Promise<void>;
  isAsked(): boolean;
  /** What has to be done before the third one leaves. */
  beforeLeaving(act: () => void): void;
  release(): void;
}

/** Takes over the signals until released. */
export function catchAsks(): Asks {
  let count = 0;
  let tidy = (): void => {};
  const slow = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  const hungUp = Promise.withResolvers<void>();
  const onInterrupt = (): void => {
    count += 1;
    if (count === 1) slow.resolve();
    else if (count === 2) all.resolve();
    else {
      tidy();
      leaveNow('towline: leaving; the tasks are with the daemon: towline list\n');
    }
  };
  const release = hearSignals(onInterrupt, () => hungUp.resolve());
  return {
    slow: slow.promise,
    all: all.promise,
    hungUp: hungUp.promise,
    isAsked: () => count > 0,
    beforeLeaving: (act) => {
      tidy = act;
    },
    release,
  };
}
