/** Names on the host, all below the remote root. See docs/remote-protocol.md. */
import { AppError } from '../domain/failure.ts';
import type { AttemptToken } from '../domain/task.ts';

/** A place of one attempt: whose it is and where. */
export interface AttemptPlace {
  /** The remote root, absolute. */
  root: string;
  daemonId: string;
  token: AttemptToken;
}

/** Marks a directory as a remote root of Towline and carries its format version. */
export const ROOT_MARKER = 'towline-root.json';

/** Gives the directory that holds the attempts of one daemon. @throws TASK_INVALID on a name that is not safe in a path. */
export function attemptsDir(place: { root: string; daemonId: string }): string {
  return `${place.root}/tasks/${safeName(place.daemonId)}`;
}

/** Gives the directory of one attempt. @throws TASK_INVALID on a name that is not safe in a path. */
export function attemptDir(place: AttemptPlace): string {
  return `${attemptsDir(place)}/${safeName(place.token)}`;
}

/** Lets a name through that is one plain path component and needs no quotes. @throws TASK_INVALID. */
export function safeName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) {
    throw new AppError('TASK_INVALID', `not a safe name on a host: ${JSON.stringify(name)}`);
  }
  return name;
}
