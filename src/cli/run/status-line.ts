/**
 * One line on a terminal while nothing runs yet: what is staged, pulled, waited for. It is gone
 * before the first byte of output, and is never written to a file or pipe. Only trouble that makes
 * the task wait is told for good, wherever stderr goes.
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
  let told: string | undefined;
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
    show(event) {
      const trouble = troubleText(event);
      if (trouble !== undefined && trouble !== told) {
        erase();
        void sink.write(trouble).catch(() => {});
      }
      told = trouble ?? told;
      draw(statusText(event));
    },
    connection: (state) =>
      draw(state === 'lost' ? 'the daemon went away; waiting for it' : undefined),
    erase,
  };
}

/** Why the task has to wait, in full: said once, on a terminal or not, since it may be for long. */
export function troubleText(event: EventView): string | undefined {
  const blocked = blockedOf(event);
  if (blocked === undefined) return undefined;
  const { host, reason, message, hint } = blocked;
  return `towline: waiting for ${host}: ${reason}: ${oneLine(message)}\nhint: ${oneLine(hint)}\n`;
}

interface BlockedData {
  host: string;
  reason: string;
  message: string;
  hint: string;
  nextTryAt?: number;
}

function blockedOf(event: EventView): BlockedData | undefined {
  return event.type === 'event' ? (event.data['blocked'] as BlockedData | undefined) : undefined;
}

/** What to show after an event; undefined: nothing, the command has the terminal. */
export function statusText(event: EventView, now = Date.now()): string | undefined {
  if (event.type === 'progress') {
    const { step, what, bytesDone, bytesTotal } = event.progress;
    const total = bytesTotal === undefined ? '' : `/${sizeText(bytesTotal)}`;
    return `${STEP_WORDS[step]} ${what} ${sizeText(bytesDone)}${total}`;
  }
  if (event.type !== 'event') return undefined;
  const blocked = blockedOf(event);
  if (blocked !== undefined) {
    const next =
      blocked.nextTryAt === undefined ? '' : `, next try in ${spanText(blocked.nextTryAt - now)}`;
    return `waiting for ${blocked.host}: ${blocked.reason}${next}`;
  }
  return STATE_TEXT[event.state];
}
