/** A socket that was named: nothing has to be looked up then, and the command line starts without the files for that. */
import { resolve } from 'node:path';

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

/** By an option, else by $TOWLINE_SOCKET. */
export function namedSocket(choice: SocketChoice, { env, cwd }: Surroundings): string | undefined {
  const named = choice.socket ?? env['TOWLINE_SOCKET'];
  return named === undefined || named === '' ? undefined : resolve(cwd, named);
}
