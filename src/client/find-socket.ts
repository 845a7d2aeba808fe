/** Where the daemon is dialled: what was named, else as the configuration says. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { currentUser } from '../config/computed.ts';
import { socketCandidates } from '../config/socket.ts';
import { namedSocket, type SocketChoice, type Surroundings } from './named-socket.ts';

/** The path of the socket. Of several possible ones the first that exists, else the first. */
export function findSocket(choice: SocketChoice = {}, around: Surroundings = ours()): string {
  const named = namedSocket(choice, around);
  if (named !== undefined) return named;
  const candidates = socketCandidates({
    ...around,
    ...(choice.config !== undefined && { files: [resolve(around.cwd, choice.config)] }),
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
