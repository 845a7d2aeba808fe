/** Why a container did not start, from the words of the runtime. */
import { AppError } from '../domain/failure.ts';
import type { ExitRecord } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import { NO_OVERLAY } from '../script/overlay.ts';

type Code = ConstructorParameters<typeof AppError>[0];

/** First match wins. Texts of Apptainer 1.4.5. */
const REASONS: readonly [RegExp, Code][] = [
  [/stat \/bin\/sh: no such file|exec \/bin\/sh failed/i, 'IMAGE_NO_SHELL'],
  [/currently in use (?:for writing )?by another process/i, 'OVERLAY_IN_USE'],
  [/no space left on device|disk quota exceeded/i, 'HOST_NO_SPACE'],
  [new RegExp(NO_OVERLAY), 'OVERLAY_CREATE_FAILED'],
  [
    /could not open image|image format not recognized|while mounting image|not a valid SIF/i,
    'IMAGE_CORRUPT',
  ],
];

/** The error for an attempt whose command never ran. */
export function startFailure(task: Task, exit: ExitRecord, host: string): AppError {
  const said = exit.runtimeLogTail ?? '';
  const code = REASONS.find(([pattern]) => pattern.test(said))?.[1] ?? 'RUNTIME_START_FAILED';
  const why = reasonIn(said) ?? `the runtime ended with code ${exit.runtimeCode}`;
  return new AppError(code, `the container of task ${task.id} did not start on ${host}: ${why}`, {
    context: { task: task.id, host, runtimeCode: exit.runtimeCode },
  });
}

/** The runtime's last FATAL line, else its last error, which usage follows, else its last line; no colours. */
function reasonIn(said: string): string | undefined {
  const escape = String.fromCodePoint(27);
  const lines = said
    .replaceAll(new RegExp(`${escape}\\[[0-9;]*m`, 'g'), '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (
    lines.findLast((line) => line.startsWith('FATAL')) ??
    lines.findLast((line) => /^error\b/i.test(line)) ??
    lines.at(-1)
  );
}
