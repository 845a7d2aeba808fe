/** The words a judgement of doctor's is made of. */
import type { ErrorCode, FailureRecord } from './failure.ts';
import type { Finding, Remedy } from './finding.ts';

/** A finding without its name; undefined: it was not looked at. */
export type Judgement = Omit<Finding, 'id' | 'title'> | undefined;

interface Trouble {
  cause?: string | undefined;
  remedy?: Remedy | undefined;
  code?: ErrorCode | undefined;
}

export function ok(detail: string): Judgement {
  return { level: 'ok', detail };
}

export function warning(detail: string, trouble: Trouble = {}): Judgement {
  return { level: 'warning', detail, ...trouble };
}

export function failure(detail: string, trouble: Trouble): Judgement {
  return { level: 'failure', detail, ...trouble };
}

export function skipped(detail: string): Judgement {
  return { level: 'skipped', detail };
}

/** A failure that has no better remedy than its own hint. */
export function asTold({ code, message, hint }: FailureRecord, trouble: Trouble = {}): Judgement {
  const remedy = hint.startsWith('towline ') ? here(hint) : inWords(hint);
  return failure(message, { code, remedy, ...trouble });
}

export const here = (text: string): Remedy => ({ how: 'here', text });
export const onHost = (text: string): Remedy => ({ how: 'host', text });
export const asRoot = (text: string): Remedy => ({ how: 'root', text });
export const inIni = (text: string): Remedy => ({ how: 'ini', text });
export const inWords = (text: string): Remedy => ({ how: 'words', text });

/** Words of the host on one line, not too long. */
export function short(text: string, length = 200): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' / ');
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
