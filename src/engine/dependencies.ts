/** Which tasks a submission waits for: by id, or by the name of another task in the same submission. Pure. */
import { findCircles } from '../domain/circles.ts';
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
  refuseCircles(linked);
  return linked;
}

function idOf(word: string, found: readonly Entry[] = []): string {
  if (found.length > 1) refuse(`${found.length} tasks of this submission are named ${word}`);
  return found[0]?.id ?? word;
}

function refuseCircles(tasks: readonly Entry[]): void {
  const named = new Map(tasks.map(({ id, spec }) => [id as string, spec.name ?? id]));
  const linked = new Map(tasks.map(({ id, spec }) => [id as string, { after: spec.after ?? [] }]));
  const [circle] = findCircles(linked);
  if (circle === undefined) return;
  const names = circle.map((id) => named.get(id));
  refuse(`${names.join(' waits for ')}: none of them could ever start`);
}

function refuse(why: string): never {
  throw new AppError('TASK_INVALID', `after: ${why}`, { context: { field: 'after' } });
}
