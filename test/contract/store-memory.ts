/** A Store in memory and in this thread: the same statements without a disk. For fast tests. */
import { createStore } from '../../src/store/create-store.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { receiveError } from '../../src/store/sent-error.ts';
import type { Store } from '../../src/store/store.ts';

export function openMemoryStore(): Store {
  const ledger = openLedger({
    path: ':memory:',
    now: 0,
    machineId: 'm',
    home: { path: ':memory:', inode: '0' },
    adopt: false,
  });
  let counters = { transactions: 0, changes: 0 };
  return createStore({
    opened: ledger.opened,
    async ask(request) {
      const { replies, ...after } = ledger.answer([{ id: 1, request: structuredClone(request) }]);
      counters = after;
      const reply = replies[0];
      if (reply === undefined) throw new Error('no reply');
      if ('error' in reply) throw receiveError(reply.error);
      return structuredClone(reply.value);
    },
    counters: () => counters,
    async close() {
      ledger.close();
    },
  });
}
