/** The table of a running workflow on a terminal. Read next: table-frame.ts, frames.ts. */
import type { Call } from '../call.ts';
import { painter } from '../output/colour.ts';
import { hearSuspension } from '../run/signals.ts';
import { hasEnded } from './board.ts';
import { createFrames } from './frames.ts';
import { beginText, connectionText, type Show, type Shown } from './show.ts';
import { summaryText } from './summary.ts';
import { tableFrame } from './table-frame.ts';
import { createTails } from './tails.ts';

/** Often enough for the elapsed times; news are drawn at once, but not more often than a person sees. */
const REDRAW_MS = 1000;
const NEWS_MS = 100;
const ROWS_DEFAULT = 24;

export function createLiveTable({ io }: Call, { board, client, signal }: Shown): Show {
  const paint = painter(io, io.out);
  const frames = createFrames(io.out);
  const tails = createTails(client, signal, () => soon());
  let below: string | undefined;
  let pending: NodeJS.Timeout | undefined;
  const draw = (): Promise<void> => {
    clearTimeout(pending);
    pending = undefined;
    for (const row of board.rows) if (row.state === 'running') tails.follow(row);
    const lines = tableFrame(board.rows, {
      now: Date.now(),
      width: io.out.columns - 1,
      height: (io.out.rows ?? ROWS_DEFAULT) - 1,
      paint,
      below,
    });
    return frames.draw(lines);
  };
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const redraw = (): void => void draw().catch(broken.reject);
  const soon = (): void => {
    pending ??= setTimeout(redraw, NEWS_MS);
  };
  const timer = setInterval(redraw, REDRAW_MS);
  const releases = [hearSuspension(() => frames.leave(), redraw), io.out.onResize?.(redraw)];
  const say = (text: string | undefined): void => {
    below = text;
    soon();
  };
  return {
    async begin(begin) {
      await io.err.write(beginText(begin, board.rows.length));
      await draw();
    },
    async event() {
      soon();
      await Promise.race([broken.promise, Promise.resolve()]);
    },
    async change() {
      soon();
    },
    connection: (state) => say(state === 'lost' ? connectionText(state) : undefined),
    say,
    async end(failed) {
      below = undefined;
      await draw();
      frames.close();
      if (board.rows.every(hasEnded)) await io.err.write(summaryText(board.rows, failed));
    },
    close() {
      clearInterval(timer);
      clearTimeout(pending);
      for (const release of releases) release?.();
      frames.close();
    },
  };
}
