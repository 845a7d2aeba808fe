/** Ctrl-C, TERM and a closed terminal while a task is followed. */
import { writeSync } from 'node:fs';

export interface Signals {
  /** SIGINT or SIGTERM came. */
  interrupted: Promise<void>;
  hungUp: Promise<void>;
  isInterrupted(): boolean;
  /** What to say when the user asks a second time; the process then ends by SIGINT at once. */
  onSecond(text: string): void;
  release(): void;
}

/** Takes over the signals until released. */
export function catchSignals(): Signals {
  const state = { count: 0, second: 'towline: leaving\n' };
  const interrupted = Promise.withResolvers<void>();
  const hungUp = Promise.withResolvers<void>();
  const onInterrupt = (): void => {
    state.count += 1;
    if (state.count === 1) interrupted.resolve();
    else leaveNow(state.second);
  };
  const release = hearSignals(onInterrupt, () => hungUp.resolve());
  return {
    interrupted: interrupted.promise,
    hungUp: hungUp.promise,
    isInterrupted: () => state.count > 0,
    onSecond: (text) => {
      state.second = text;
    },
    release,
  };
}

/** Hears Ctrl-C and TERM as one, and a closed terminal, until the returned function is called. */
export function hearSignals(onInterrupt: () => void, onHangUp: () => void): () => void {
  const listeners = [
    ['SIGINT', onInterrupt],
    ['SIGTERM', onInterrupt],
    ['SIGHUP', onHangUp],
  ] as const;
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/** Ctrl-Z: `before` is called, the process stops, and `after` is called when it goes on; until the returned function is called. */
export function hearSuspension(before: () => void, after: () => void): () => void {
  const stop = (): void => {
    before();
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', after);
  return () => {
    process.off('SIGTSTP', stop);
    process.off('SIGCONT', after);
  };
}

/** Ends as a program that does not catch SIGINT: nothing can hold it up, and the shell sees 130. */
export function leaveNow(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // The terminal may be gone; leaving is what counts.
  }
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
