/**
 * Those that waited for a host when the last daemon ended. Thousands need not each ask whether it is
 * back: one does, and now and then the next in line, so that nobody waits for a word that never comes.
 */

export interface HostLines<T> {
  /** Gives how to leave the line; undefined: it does not stand there, but asks, or the host was heard of. */
  join(host: string, one: T): (() => void) | undefined;
  /** The host answers, as far as is known: gives who stood in line; nobody has to until it is lost. */
  heard(host: string): T[];
  lost(host: string): void;
  stop(): void;
}

interface Line<T> {
  waiting: Set<T>;
  timer: NodeJS.Timeout;
}

/** After `delayMs()`, and again as long as somebody waits, the first in line leaves it for `ask`. */
export function createHostLines<T>(delayMs: () => number, ask: (first: T) => void): HostLines<T> {
  const lines = new Map<string, Line<T>>();
  const asked = new Set<string>();
  const answering = new Set<string>();
  const timerFor = (host: string): NodeJS.Timeout => setTimeout(() => next(host), delayMs());

  function next(host: string): void {
    const line = lines.get(host);
    const [first] = line?.waiting ?? [];
    if (line === undefined || first === undefined) {
      lines.delete(host);
      return;
    }
    line.waiting.delete(first);
    line.timer = timerFor(host);
    ask(first);
  }

  function open(host: string): T[] {
    const line = lines.get(host);
    lines.delete(host);
    clearTimeout(line?.timer);
    return [...(line?.waiting ?? [])];
  }

  return {
    join(host, one) {
      if (!asked.has(host) || answering.has(host)) {
        asked.add(host);
        return undefined;
      }
      const line = lines.get(host) ?? { waiting: new Set(), timer: timerFor(host) };
      lines.set(host, line);
      line.waiting.add(one);
      return () => void line.waiting.delete(one);
    },
    heard(host) {
      answering.add(host);
      return open(host);
    },
    lost: (host) => void answering.delete(host),
    stop() {
      for (const host of lines.keys()) open(host);
    },
  };
}
