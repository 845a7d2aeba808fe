/** One look at a host for all of its attempts: where those stand that have started, and which of the others have by now. */
import { type AttemptFacts, type HostFactsNow, parseStatus, statusText } from '../script/status.ts';
import { takeTickets, ticketsText } from '../script/tickets.ts';
import type { Known } from './glance.ts';
import type { Seat } from './seats.ts';
import type { WatchRequest } from './watched.ts';

interface Asked {
  request: WatchRequest;
  /** There when a glance is enough. */
  known?: Known | undefined;
}

export interface HostLook<T> {
  /** What the files say of each that was asked for in full. */
  seen: { one: T; facts: AttemptFacts; host: HostFactsNow }[];
  /** Of those that were asked for by their tickets, whose is gone. */
  taken: T[];
  /** How long the host took, without the wait for the turn of this look. */
  answeredMs: number;
}

/** @throws SSH_* HOST_* */
export async function lookAt<T extends Asked>(
  { host, polls }: Seat,
  { full, tickets, now }: { full: readonly T[]; tickets: readonly T[]; now: () => number },
): Promise<HostLook<T>> {
  const dirs = tickets.map(({ request }) => request.dir);
  const queries = full.map(({ request: { dir, launch }, known }) => ({
    ...{ dir, nonce: launch?.nonce ?? '-', pid: launch?.pid ?? 0, before: known?.facts },
  }));
  const text = [
    ...(tickets.length > 0 ? [ticketsText(dirs)] : []),
    ...(full.length > 0 ? [statusText(queries)] : []),
  ].join('\n');
  const { output, answeredMs } = await polls.poll(async () => {
    const began = now();
    const result = await host.run(text, { purpose: purposeOf(full, tickets) });
    return { ...result, answeredMs: now() - began };
  });
  const { taken, rest } = takeTickets(dirs, output);
  const gone = new Set(taken);
  return {
    seen: full.length > 0 ? seenOf(full, parseStatus(queries, rest)) : [],
    taken: tickets.filter(({ request }) => gone.has(request.dir)),
    answeredMs,
  };
}

function purposeOf(full: readonly unknown[], tickets: readonly unknown[]): string {
  const looks = full.length > 0 ? [`${full.length} running attempts`] : [];
  const asks = tickets.length > 0 ? [`${tickets.length} tickets`] : [];
  return `looking at ${[...looks, ...asks].join(' and ')}`;
}

function seenOf<T>(
  full: readonly T[],
  { host, attempts }: ReturnType<typeof parseStatus>,
): HostLook<T>['seen'] {
  return full.flatMap((one, index) => {
    const facts = attempts[index];
    return facts === undefined ? [] : [{ one, facts, host }];
  });
}
