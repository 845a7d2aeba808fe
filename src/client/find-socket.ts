/** Where the daemon is dialled: what was named, $TOWLINE_SOCKET, else as the configuration says. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { currentUser } from '../config/computed.ts';
import { socketCandidates } from '../config/socket.ts';

export interface SocketChoice {
  socket?: string | undefined;
  /** A configuration file in which it is looked up instead of the usual ones. */
  config?: string | undefined;
}

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  home: string;
  user: string;
}

/** The path of the socket. Of several possible ones the first that exists, else the first. */
export function findSocket(choice: SocketChoice = {}, around: Surroundings = ours()): string {
  const { env, cwd, home, user } = around;
  const named = choice.socket ?? env['TOWLINE_SOCKET'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  const candidates = socketCandidates({
    env,
    home,
    user,
    ...(choice.config !== undefined && { files: [resolve(cwd, choice.config)] }),
  });
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? '';
}

function ours(): Surroundings {
  const { env } = process;
  return {
    env,
    cwd: process.cwd(),
    home: env['HOME'] || homedir(),
    user: env['USER'] || currentUser(env),
  };
}
