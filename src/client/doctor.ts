/** The stream of an examination. It is not resumed: an examination is made anew, not in the middle. */
import type { DoctorView } from '../protocol/views.ts';
import { connectionError } from './errors.ts';
import type { Transport } from './transport.ts';

/** Findings as they come; the summary is the last. @throws HOST_UNKNOWN DAEMON_NOT_RUNNING */
export async function* readDoctor(
  transport: Transport,
  name: string,
  { signal }: { signal?: AbortSignal },
): AsyncGenerator<DoctorView> {
  const response = await transport.open('doctor', { params: { name }, signal });
  let rest = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as DoctorView;
    }
  } catch (error) {
    throw connectionError(error as NodeJS.ErrnoException, transport.socketPath, signal);
  } finally {
    response.destroy();
  }
}
