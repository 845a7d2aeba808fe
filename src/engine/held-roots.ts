/** In which roots of a host attempts may be, by what is known here. There a root that is not seen is away, not absent. */
import type { Task } from '../domain/task.ts';
import type { HeldRoots } from '../script/probe.ts';
import type { Ledger } from './ledger.ts';

export function heldRootsOf(ledger: Pick<Ledger, 'live'>): (host: string) => HeldRoots {
  return (host) => heldRoots(ledger.live(), host);
}

/** All roots that hold something of these tasks; any, where a launch may have worked and is not known. */
export function heldRoots(tasks: Iterable<Task>, host: string): HeldRoots {
  const roots = new Set<string>();
  for (const { state, history } of tasks) {
    for (const past of history)
      if (past.host === host && past.cleanup === 'pending' && past.root) roots.add(past.root);
    if (!('host' in state) || state.host !== host) continue;
    const root = 'launch' in state ? state.launch?.root : undefined;
    if (state.kind === 'launching' || (state.kind === 'cancelling' && state.published && !root))
      return 'any';
    const here = !('cleanup' in state) || state.cleanup === 'pending';
    if (root !== undefined && here) roots.add(root);
  }
  return [...roots];
}
