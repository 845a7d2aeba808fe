/** The end of what a failed attempt said, as a person wants to see it with the failure. */
import type { AttemptToken } from '../domain/task.ts';
import type { Spool } from '../spool/spool.ts';

const LINES = 10;
const BYTES_MAX = 4096;

/** The last lines of stderr, bounded whatever their length; undefined when there is nothing or it cannot be read. */
export async function stderrTail(
  spool: Spool,
  token: AttemptToken,
  bytes: number,
): Promise<string | undefined> {
  if (bytes === 0) return undefined;
  const chunks: Uint8Array[] = [];
  try {
    const { signal } = new AbortController();
    const from = { offset: Math.max(0, bytes - BYTES_MAX), follow: false, signal };
    for await (const chunk of spool.attempt(token).follow('stderr', from)) chunks.push(chunk);
  } catch {
    // The failure itself is worth more than its last words.
    return undefined;
  }
  return lastLines(Buffer.concat(chunks).subarray(-BYTES_MAX));
}

/** Bytes that are no text are replaced; a character cut in front is left out. */
export function lastLines(tail: Buffer): string | undefined {
  const start = tail.findIndex((byte) => (byte & 0xc0) !== 0x80);
  if (start < 0) return undefined;
  const text = tail.subarray(start).toString('utf8').trimEnd();
  return text === '' ? undefined : text.split('\n').slice(-LINES).join('\n');
}
