/**
 * Files of one attempt that are on this machine for a while, on their way between a host and a storage. Their names tell
 * whose they are, so that what a daemon that was killed leaves is found again, by the next one or by gc. Pure.
 */
import { join } from 'node:path';
import type { AttemptToken, TaskId } from '../../domain/task.ts';

/** Where an input is brought. */
export function inputPath(directory: string, token: AttemptToken, index: number): string {
  return join(directory, `${token}.in.${index}`);
}

/** The directory that outputs are brought to. */
export function outputsPath(directory: string, token: AttemptToken): string {
  return join(directory, `${token}.out`);
}

/** The task whose file this is, if it is one of these. */
export function taskOfWorkFile(name: string): TaskId | undefined {
  return /^([^.]+)\.\d+\.(?:in\.\d+|out)$/.exec(name)?.[1] as TaskId | undefined;
}
