/** Answers that come line by line. They are not resumed: what is made anew is not made in the middle. */

import type { RouteName } from '../protocol/routes.ts';
import { connectionError } from './errors.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Each line as it comes. @throws what the daemon says, DAEMON_NOT_RUNNING */
export async function* readJsonLines<T>(
  transport: Transport,
  route: RouteName,
  options: CallOptions,
): AsyncGenerator<T> {
  const response = await transport.open(route, options);
  let rest = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as T;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw connectionError(error as NodeJS.ErrnoException, transport.socketPath);
  } finally {
    response.destroy();
  }
}
