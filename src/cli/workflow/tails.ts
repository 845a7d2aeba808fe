/** The last line that each of some running tasks has printed. */
import { stripVTControlCharacters } from 'node:util';
import type { Client } from '../../client/client.ts';
import { STREAMS, type StreamName } from '../../domain/task.ts';
import type { Row } from './board.ts';

/** The daemon serves only so many followers, and a terminal shows only so many rows. */
const FOLLOWED_MAX = 30;
const LINE_CHARS_MAX = 500;

/** Notes are written into the rows; `changed` is told. Ends with the signal. */
export function createTails(client: Client, signal: AbortSignal, changed: () => void) {
  const followed = new Set<string>();
  async function readStream(row: Row, stream: StreamName): Promise<void> {
    const { attempt, id } = row;
    let line = '';
    for await (const chunk of client.logs(id, stream, { follow: true, attempt, signal })) {
      line = lastLine(line, chunk.toString());
      if (row.attempt !== attempt) return;
      row.note = line.trim() === '' ? row.note : line.trim();
      changed();
    }
  }
  return {
    follow(row: Row): void {
      const key = `${row.id}.${row.attempt}`;
      if (followed.has(key) || followed.size >= FOLLOWED_MAX) return;
      followed.add(key);
      // an output that cannot be followed leaves the table without its last line, no more
      void Promise.allSettled(STREAMS.map((stream) => readStream(row, stream))).then(() =>
        followed.delete(key),
      );
    },
  };
}

/**
 * The last line that is not empty; an unfinished one counts, and goes on with the next piece. A bar that draws itself
 * anew in place (carriage returns) is at its newest; colours are left out.
 */
export function lastLine(before: string, piece: string): string {
  const text = stripVTControlCharacters(`${before}${piece.slice(-LINE_CHARS_MAX * 4)}`);
  const lines = text.split(/[\r\n]/);
  const last = lines.at(-1) ?? '';
  const full = lines.findLast((line) => line.trim() !== '') ?? '';
  return (last.trim() === '' ? `${full}\n` : last).slice(-LINE_CHARS_MAX);
}
