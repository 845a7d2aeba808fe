/** One stream of a task that runs, attempt after attempt; each iteration begins anew with the first byte. */
import { ENDED_KINDS } from '../domain/state.ts';
import type { StreamName } from '../domain/task.ts';
import type { TaskView } from '../protocol/views.ts';
import type { Client } from './client.ts';
import { type Reconnect, surely } from './reconnect.ts';

export interface TaskOutput extends AsyncIterable<Buffer> {
  /** Lines of UTF-8 text without their newline. */
  lines(): AsyncGenerator<string>;
  /** All of it, once it is complete. */
  text(): Promise<string>;
}

export interface Place {
  /** As it was submitted. */
  task: TaskView;
  stream: StreamName;
}

/** The output of all attempts one after the other, as `towline run` prints it. */
export function outputOf(client: Client, place: Place, options: Reconnect): TaskOutput {
  async function* attempts(): AsyncGenerator<AsyncIterable<Buffer>> {
    let attempt: number | undefined = 1;
    while (attempt !== undefined) {
      yield client.logs(place.task.id, place.stream, { ...options, follow: true, attempt });
      attempt = await attemptAfter(client, { task: place.task, attempt }, options);
    }
  }
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const attempt of attempts()) yield* attempt;
  }
  return {
    [Symbol.asyncIterator]: bytes,
    async *lines() {
      for await (const attempt of attempts()) yield* linesOf(attempt);
    },
    async text() {
      const chunks: Buffer[] = [];
      for await (const chunk of bytes()) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

/** The next attempt, once it is known that there is one; undefined when there will be none. */
async function attemptAfter(
  client: Client,
  { task, attempt }: { task: TaskView; attempt: number },
  options: Reconnect,
): Promise<number | undefined> {
  if (task.asked.retries === 0 && attempt >= task.attempt) return undefined;
  for await (const event of client.events({ ...options, task: task.id, follow: true })) {
    if (event.type !== 'event') continue;
    if (event.attempt > attempt) return attempt + 1;
    if (!(ENDED_KINDS as readonly string[]).includes(event.state)) continue;
    const now = await surely(() => client.get(task.id), options);
    if (now.ended) return now.attempt > attempt ? attempt + 1 : undefined;
  }
  return undefined;
}

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
