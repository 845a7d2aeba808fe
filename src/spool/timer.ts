/** How the spool waits; a test gives its own clock. */
export interface Timer {
  /** Calls `act` once after the delay, unless cancelled by what it gives back. */
  after(delayMs: number, act: () => void): () => void;
}

/** The real clock; it does not keep the process alive. */
export const SYSTEM_TIMER: Timer = {
  after(delayMs, act) {
    const timeout = setTimeout(act, delayMs);
    timeout.unref();
    return () => clearTimeout(timeout);
  },
};
