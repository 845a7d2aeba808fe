/** Which tasks a submission waits for: by id, or by the name of another task in the same submission. Pure. */
import { AppError } from '../domain/failure.ts';
import type { TaskId, TaskSpec } from '../domain/task.ts';

export interface Entry {
  id: TaskId;
  spec: TaskSpec;
}

/**
 * Gives the tasks with ids in `after`.
 * @throws TASK_INVALID on a name that two tasks have, and on tasks that wait for themselves
 */
export function linkTogether(tasks: readonly Entry[]): Entry[] {
  if (!tasks.some(({ spec }) => spec.after !== undefined)) return [...tasks];
  const named = Map.groupBy(tasks, ({ spec }) => spec.name);
  const linked = tasks.map(({ id, spec }) => {
    if (spec.after === undefined) return { id, spec };
    const after = spec.after.map((word) => idOf(word, named.get(word)));
    return { id, spec: { ...spec, after: [...new Set(after)] } };
  });
  refuseCycles(linked);
  return linked;
}

function idOf(word: string, found: readonly Entry[] = []): string {
  if (found.length > 1) refuse(`${found.length} tasks of this submission are named ${word}`);
  return found[0]?.id ?? word;
}

/** Takes away what waits for nothing that is left, until nothing is left; the rest are circles. */
function refuseCycles(tasks: readonly Entry[]): void {
  const left = new Map<string, Entry>(tasks.map((task) => [task.id, task]));
  const isFree = ({ spec }: Entry): boolean => !spec.after?.some((id) => left.has(id));
  for (let free = [...left.values()].filter(isFree); free.length > 0; ) {
    for (const { id } of free) left.delete(id);
    free = [...left.values()].filter(isFree);
  }
  const [first] = left.values();
  if (first === undefined) return;
  const names = circle(left, first).map(({ id, spec }) => spec.name ?? id);
  refuse(`${names.join(' waits for ')}: none of them could ever start`);
}

/** One way round, its first task again at its end. */
function circle(left: ReadonlyMap<string, Entry>, first: Entry): Entry[] {
  const way: Entry[] = [];
  for (let at = first; !way.includes(at); ) {
    way.push(at);
    at = left.get(at.spec.after?.find((id) => left.has(id)) ?? '') ?? at;
  }
  const next = way.at(-1)?.spec.after?.find((id) => left.has(id));
  const begin = way.findIndex(({ id }) => id === next);
  return [...way.slice(begin), ...way.slice(begin, begin + 1)];
}

function refuse(why: string): never {
  throw new AppError('TASK_INVALID', `after: ${why}`, { context: { field: 'after' } });
}
