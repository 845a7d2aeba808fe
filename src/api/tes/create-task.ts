/** A TES document becomes a task. */
import { AppError, isAppError } from '../../domain/failure.ts';
import type { TaskSpec } from '../../domain/task.ts';
import { parseWith } from '../../protocol/explain.ts';
import { type TesDocument, tesTaskSchema, withoutNulls } from '../../protocol/tes/schema.ts';
import { toSpec } from '../../protocol/tes/to-spec.ts';
import type { TesDeps } from './deps.ts';
import { settleLocalFiles } from './local-files.ts';
import { zonesIn } from './zones.ts';

/** Gives the id. @throws TASK_INVALID and what submitting throws */
export async function createTask(deps: TesDeps, body: unknown): Promise<string> {
  const asked = parseWith(tesTaskSchema, withoutNulls(body ?? {}), { code: 'TASK_INVALID' });
  const zone = zonesIn(deps.service.hosts());
  const { spec, document } = toSpec(asked, { defaults: deps.specDefaults(), zone });
  const settled = await settleLocalFiles(spec, deps.roots());
  const written = JSON.stringify(withTypes(document, settled));
  const { tasks } = await deps.service
    .submit([settled], undefined, [{ name: asked.name, body: written }])
    .catch(asInvalid);
  return tasks[0]?.task.id ?? '';
}

/** A client may leave the type out: what stands there is known by now. */
function withTypes({ task, warnings }: TesDocument, { inputs }: TaskSpec): TesDocument {
  const typed = task.inputs?.map((input, index) => {
    return inputs[index]?.source.kind === 'directory'
      ? { ...input, type: 'DIRECTORY' as const }
      : input;
  });
  return { task: { ...task, ...(typed !== undefined && { inputs: typed }) }, warnings };
}

/** To a client of TES a host that is not there is a fault of its document. */
function asInvalid(error: unknown): never {
  if (!isAppError(error) || error.code !== 'HOST_UNKNOWN') throw error;
  throw new AppError('TASK_INVALID', error.message, { cause: error });
}
