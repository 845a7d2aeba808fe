/** A local input is written as a path; whether it is a file or a directory the daemon sees. */
import { stat } from 'node:fs/promises';
import type { InputSource, TaskSpec } from '../domain/task.ts';

/** The task with directories named as such; what cannot be looked at is left for the engine to refuse. */
export async function settleInputKinds(spec: TaskSpec): Promise<TaskSpec> {
  const inputs = await Promise.all(
    spec.inputs.map(async (input) => ({ ...input, source: await settle(input.source) })),
  );
  return { ...spec, inputs };
}

async function settle(source: InputSource): Promise<InputSource> {
  if (source.kind !== 'file') return source;
  const isDirectory = await stat(source.path).then(
    (info) => info.isDirectory(),
    () => false,
  );
  return isDirectory ? { kind: 'directory', path: source.path } : source;
}
