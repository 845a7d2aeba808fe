/** One line on a terminal while files are copied; nothing anywhere else. */
import type { Sink } from '../io.ts';
import { cutTo, oneLine, sizeText } from '../output/text.ts';

export interface Progress {
  add(bytes: number, what: string): void;
  erase(): void;
}

const ERASE = '\r\u001b[2K';
const INTERVAL_MS = 200;

export function createProgress(sink: Sink, total: string): Progress {
  let done = 0;
  let drawnAt = performance.now();
  let shown = false;
  return {
    add(bytes, what) {
      done += bytes;
      if (!sink.isTTY || performance.now() - drawnAt < INTERVAL_MS) return;
      drawnAt = performance.now();
      shown = true;
      const text = `copying ${oneLine(what)} ${sizeText(done)}/${total}`;
      void sink.write(`${ERASE}${cutTo(text, sink.columns - 1)}`).catch(() => {});
    },
    erase() {
      if (shown) void sink.write(ERASE).catch(() => {});
      shown = false;
    },
  };
}
