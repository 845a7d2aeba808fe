/**
 * Which tasks a submission waits for and takes outputs of: by id, or by the name of another task in the same
 * submission. Pure.
 */
import { findCircles } from '../domain/circles.ts';
import { AppError } from '../domain/failure.ts';
import type { InputSource, TaskId, TaskSpec } from '../domain/task.ts';

type OutputSource = Extract<InputSource, { kind: 'output' }>;

export interface Entry {
  id: TaskId;
  spec: TaskSpec;
}

/**
 * Gives the tasks with ids in `after` and in the references to outputs; what others of the submission take
 * of a task, it shares.
 * @throws TASK_INVALID on a name that two tasks have, and on tasks that wait for themselves
 */
export function linkTogether(tasks: readonly Entry[]): Entry[] {
  if (!tasks.some(({ spec }) => spec.after !== undefined)) return [...tasks];
  const named = Map.groupBy(tasks, ({ spec }) => spec.name);
  const linked = tasks.map(({ id, spec }) => ({
    id,
    spec: withIds(spec, (word) => idOf(word, named.get(word))),
  }));
  refuseCircles(linked);
  return shareTaken(linked);
}

/** The task with other words for those it waits for. */
export function withIds(spec: TaskSpec, idFor: (word: string) => string): TaskSpec {
  if (spec.after === undefined) return spec;
  const source = (one: InputSource): InputSource =>
    one.kind === 'output' ? { ...one, task: idFor(one.task) } : one;
  return {
    ...spec,
    after: [...new Set(spec.after.map(idFor))],
    inputs: spec.inputs.map((input) => ({ ...input, source: source(input.source) })),
    ...(spec.stdin !== undefined && { stdin: source(spec.stdin) }),
  };
}

/** What a task takes of others. */
export function takenBy({ inputs, stdin }: TaskSpec): OutputSource[] {
  const sources = [...inputs.map(({ source }) => source), ...(stdin === undefined ? [] : [stdin])];
  return sources.filter((source) => source.kind === 'output');
}

function shareTaken(tasks: readonly Entry[]): Entry[] {
  const taken = Map.groupBy(
    tasks.flatMap(({ spec }) => takenBy(spec)),
    ({ task }) => task,
  );
  return tasks.map(({ id, spec }) => {
    const paths = taken.get(id)?.map(({ path }) => path);
    if (paths === undefined) return { id, spec };
    return { id, spec: { ...spec, share: [...new Set([...(spec.share ?? []), ...paths])] } };
  });
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
