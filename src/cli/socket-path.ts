/** Where the daemon is dialled: --socket, $TOWLINE_SOCKET, else as the configuration says. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GlobalOptions } from './call.ts';
import type { Io } from './io.ts';

/** The path of the socket. Of several possible ones the first that exists, else the first. */
export async function findSocket(options: GlobalOptions, io: Io): Promise<string> {
  const named = options.socket ?? io.env['TOWLINE_SOCKET'];
  if (named !== undefined && named !== '') return resolve(io.cwd, named);
  const { socketCandidates } = await import('../config/socket.ts');
  const candidates = socketCandidates({
    env: io.env,
    home: io.home,
    user: io.user,
    ...(options.config !== undefined && { files: [resolve(io.cwd, options.config)] }),
  });
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? '';
}
