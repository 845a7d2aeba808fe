/** Which attempts share a job: those that ask for the same, as an array or as the sequence of a pilot. Pure. */
import type { JobRequest, Scheduler } from '../../scheduler/scheduler.ts';
import type { HostJobs } from './host-jobs.ts';

export interface Chunk<T> {
  members: T[];
  pilot: boolean;
}

type ChunkRules = Pick<HostJobs, 'array' | 'pilot'> & { scheduler: Pick<Scheduler, 'arrayMax'> };

/** Cuts what waits into jobs, in the order it came. */
export function chunksOf<T extends { request: JobRequest }>(
  wanted: readonly T[],
  { scheduler, array, pilot }: ChunkRules,
): Chunk<T>[] {
  const groups = new Map<string, T[]>();
  for (const one of wanted) {
    const key = JSON.stringify(one.request.args);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const most = pilot?.tasks ?? (array ? scheduler.arrayMax : 1);
  return [...groups.values()].flatMap((group) => chunksOfSize(group, most, pilot !== undefined));
}

function chunksOfSize<T>(group: readonly T[], most: number, isPilot: boolean): Chunk<T>[] {
  const chunks: Chunk<T>[] = [];
  for (let at = 0; at < group.length; at += most) {
    const members = group.slice(at, at + most);
    chunks.push({ members, pilot: isPilot && members.length > 1 });
  }
  return chunks;
}
