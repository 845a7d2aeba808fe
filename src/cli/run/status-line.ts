/**
 * One line on a terminal while nothing runs yet: what is staged, pulled, waited for. It is gone
 * before the first byte of output, and is never written to a file or pipe.
 */
import type { EventView } from '../../protocol/views.ts';
import type { Sink } from '../io.ts';
import { cutTo, oneLine, sizeText, spanText } from '../output/text.ts';

export interface StatusLine {
  show(event: EventView): void;
  connection(state: 'lost' | 'back'): void;
  erase(): void;
}

const ERASE = '\r\u001b[2K';
const STEP_WORDS = { stage: 'staging', pull: 'pulling image', collect: 'fetching' } as const;
const STATE_TEXT: Record<string, string> = {
  held: 'held; towline release starts it',
  queued: 'waiting for a host',
  staging: 'staging',
  pulling: 'pulling image',
  launching: 'launching',
  collecting: 'fetching outputs',
  cancelling: 'cancelling',
};

export function createStatusLine(sink: Sink): StatusLine {
  let shown = false;
  const draw = (text: string | undefined): void => {
    if (!sink.isTTY) return;
    if (text === undefined) return erase();
    shown = true;
    void sink.write(`${ERASE}${cutTo(oneLine(text), sink.columns - 1)}`).catch(() => {});
  };
  const erase = (): void => {
    if (!shown) return;
    shown = false;
    void sink.write(ERASE).catch(() => {});
  };
  return {
    show: (event) => draw(statusText(event)),
    connection: (state) =>
      draw(state === 'lost' ? 'the daemon went away; waiting for it' : undefined),
    erase,
  };
}

/** What to show after an event; undefined: nothing, the command has the terminal. */
export function statusText(event: EventView, now = Date.now()): string | undefined {
  if (event.type === 'progress') {
    const { step, what, bytesDone, bytesTotal } = event.progress;
    const total = bytesTotal === undefined ? '' : `/${sizeText(bytesTotal)}`;
    return `${STEP_WORDS[step]} ${what} ${sizeText(bytesDone)}${total}`;
  }
  const blocked = event.data['blocked'] as
    | { host: string; reason: string; nextTryAt?: number }
    | undefined;
  if (blocked !== undefined) {
    const next =
      blocked.nextTryAt === undefined ? '' : `, next try in ${spanText(blocked.nextTryAt - now)}`;
    return `waiting for ${blocked.host}: ${blocked.reason}${next}`;
  }
  return STATE_TEXT[event.state];
}
