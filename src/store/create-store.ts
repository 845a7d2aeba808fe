/** The Store over a link: each method is one request, changes pass the fault points. */
import { between } from '../fault.ts';
import type { Answers, LivePage, Request } from './requests.ts';
import type { Change, LiveTasksRead, Store } from './store.ts';
import type { Link } from './worker-link.ts';

/** Tasks in one answer: a whole database at once would be in memory three times. */
const LIVE_PAGE = 20;

/** A Store that asks the ledger at the other end of `link`. */
export function createStore(link: Link): Store {
  const ask = async <Op extends Request['op']>(
    request: Extract<Request, { op: Op }>,
  ): Promise<Answers[Op]> => (await link.ask(request)) as Answers[Op];

  return {
    daemonId: link.opened.daemonId,
    commit: (change) =>
      betweenFaults(kindOf([change]), () => ask<'commit'>({ op: 'commit', change })),
    insert: (changes, idempotency, room) =>
      betweenFaults(kindOf(changes), () =>
        ask<'insert'>({ op: 'insert', changes, idempotency, room }),
      ),
    getTask: (id) => ask<'get-task'>({ op: 'get-task', id }),
    findIds: (prefix) => ask<'find-ids'>({ op: 'find-ids', prefix }),
    loadLive: () => loadLive((after) => ask({ op: 'load-live', after, limit: LIVE_PAGE })),
    listTasks: (query) => ask<'list-tasks'>({ op: 'list-tasks', query }),
    listDocuments: (query) => ask<'list-documents'>({ op: 'list-documents', query }),
    listEvents: (query) => ask<'list-events'>({ op: 'list-events', query }),
    setHostMode: (change) =>
      betweenFaults('host-mode', () => ask<'set-host-mode'>({ op: 'set-host-mode', change })),
    hostModes: () => ask<'host-modes'>({ op: 'host-modes' }),
    lastSeq: () => ask<'last-seq'>({ op: 'last-seq' }),
    forget: (ids, removed) =>
      betweenFaults('forgotten', () => ask<'forget'>({ op: 'forget', ids, removed })),
    pruneEvents: (limits) =>
      betweenFaults('events-pruned', () => ask<'prune-events'>({ op: 'prune-events', limits })),
    eventsGone: () => ask<'events-gone'>({ op: 'events-gone' }),
    recordRemovals: (removals) =>
      betweenFaults('removed', () => ask<'record-removals'>({ op: 'record-removals', removals })),
    listRemovals: (limit) => ask<'list-removals'>({ op: 'list-removals', limit }),
    knownHashes: (identities) => ask<'known-hashes'>({ op: 'known-hashes', identities }),
    rememberHashes: (hashes) =>
      betweenFaults('hashes', () => ask<'remember-hashes'>({ op: 'remember-hashes', hashes })),
    counters: () => link.counters(),
    close: () => link.close(),
  };
}

async function loadLive(page: (after: number) => Promise<LivePage>): Promise<LiveTasksRead> {
  const all: LiveTasksRead = { tasks: [], effects: [], unreadable: [] };
  let after: number | undefined = 0;
  while (after !== undefined) {
    const { tasks, effects, unreadable, next }: LivePage = await page(after);
    all.tasks.push(...tasks);
    all.effects.push(...effects);
    all.unreadable.push(...unreadable);
    after = next;
  }
  return all;
}

/** Fault points around every commit: one for all, one named by what happened first in it. */
function betweenFaults<T>(kind: string, act: () => Promise<T>): Promise<T> {
  return between('store.commit', () => between(`commit.${kind}`, act));
}

function kindOf(changes: Change[]): string {
  return changes[0]?.events[0]?.kind ?? 'silent';
}
