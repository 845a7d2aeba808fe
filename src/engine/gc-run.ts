/** One run of gc: what its parts share. */
import type { AttemptToken } from '../domain/task.ts';
import type { NewRemoval } from '../store/store.ts';
import type { ServiceDeps } from './create-service.ts';
import type { GcReport, GcRequest } from './service.ts';

export type GcDeps = Pick<
  ServiceDeps,
  'ledger' | 'store' | 'spool' | 'seats' | 'images' | 'settings' | 'now' | 'randomBytes'
> & { uploadDir?: string | undefined };

/** What one run knows and finds. */
export interface GcRun {
  deps: GcDeps;
  request: GcRequest;
  at: number;
  report: GcReport;
  /** Attempts whose shared outputs are needed: by tasks that have not ended, or young. */
  holding: Set<AttemptToken>;
  /** Uploads that tasks name. */
  named: Set<string>;
}

/** Tells and writes down; what only would be removed is told alone. */
export async function removed({ deps, request, report }: GcRun, list: NewRemoval[]): Promise<void> {
  report.removed.push(...list);
  if (!request.dryRun && list.length > 0) await deps.store.recordRemovals(list);
}
