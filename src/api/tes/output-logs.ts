/** The files that were brought back, as TES lists them. Pure. */
import type { CollectedOutput } from '../../domain/state.ts';
import { attemptToken, destinationOf, type Task } from '../../domain/task.ts';
import type { TesTask } from '../../protocol/tes/schema.ts';

export interface TesOutputFileLog {
  url: string;
  path: string;
  /** An int64, which JSON has not. */
  size_bytes: string;
}

/** Each file with its address as the task wrote it, and its path in the container. */
export function outputLogs(
  task: Task,
  collected: readonly CollectedOutput[],
  { outputs = [] }: TesTask,
): TesOutputFileLog[] {
  return collected.map((file) => {
    const named = task.spec.outputs.map(
      (output) => [output.pattern, destinationOf(output)] as const,
    );
    const index = named.findIndex(([pattern, at]) => {
      return pattern === file.pattern && (file.local === at || file.local.startsWith(`${at}/`));
    });
    const rest = file.local.slice(named[index]?.[1].length ?? 0);
    const url = (outputs[index]?.url ?? 'file://').replace(/\/+$/, '');
    return {
      url: `${url}${rest}`,
      path: containerPath(task, file.remote),
      size_bytes: String(file.bytes),
    };
  });
}

function containerPath({ id, spec, state }: Task, remote: string): string {
  const token = attemptToken(id, state.attempt);
  const below = remote.slice(remote.indexOf(`/${token}/`) + token.length + 2);
  const [, index = '', rest = ''] = /^volumes\/(\d+)(\/.*)?$/.exec(below) ?? [];
  const volume = spec.volumes?.[Number(index)];
  return index === '' || volume === undefined ? `/mnt/task/${below}` : `${volume}${rest}`;
}
