/** One direction of a proxied connection: bytes pass, are held until later, or end after a given count. */
import { Transform } from 'node:stream';

export interface Lane extends Transform {
  /** Nothing passes until release(). */
  hold(): void;
  /** What was held passes, in order, and all that follows. */
  release(): void;
  holds(): boolean;
  /** Passes `bytes` more, then nothing, and calls `stopped` once those were handed on. */
  stopAfter(bytes: number, stopped: () => void): void;
}

export function lane(): Lane {
  let held = false;
  let waiting: (() => void)[] = [];
  let left = Number.POSITIVE_INFINITY;
  let onStop = (): void => {};
  const when = (act: () => void): void => {
    if (held) waiting.push(act);
    else act();
  };
  // what a slow reader has not taken yet is still to be handed on
  const whenEmpty = (act: () => void): void => {
    setImmediate(() => (stream.readableLength === 0 ? act() : whenEmpty(act)));
  };
  const stream: Transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      when(() => {
        const passed = chunk.subarray(0, Math.min(left, chunk.length));
        left -= passed.length;
        if (passed.length > 0) this.push(passed);
        if (left > 0) done();
        else whenEmpty(onStop);
      });
    },
    flush(done) {
      when(done);
    },
  });
  return Object.assign(stream, {
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
      const acts = waiting;
      waiting = [];
      for (const act of acts) act();
    },
    holds: () => held || waiting.length > 0,
    stopAfter: (bytes: number, stopped: () => void) => {
      left = bytes;
      onStop = stopped;
    },
  });
}
