/** Streams that survive a restart of the daemon: bytes go on at their offset, events at their number. */
import type { IncomingMessage } from 'node:http';
import type { StreamName } from '../domain/task.ts';
import type { EventView, TaskView } from '../protocol/views.ts';
import type { EventsOptions, LogsOptions } from './client.ts';
import { connectionError } from './errors.ts';
import { createTries, type Reconnect, repeat } from './reconnect.ts';
import type { Transport } from './transport.ts';

/** The bytes of a stream, none twice and none left out; ends quietly when the signal aborts. */
export async function* followLogs(
  transport: Transport,
  { id, stream }: { id: string; stream: StreamName | 'runtime' },
  options: LogsOptions,
): AsyncGenerator<Buffer> {
  let offset = options.offset ?? 0;
  const { follow, signal } = options;
  const attempt = options.attempt ?? (await currentAttempt(transport, id, options));
  const chunks = resuming(transport, options, () =>
    transport.open('logs', { params: { id, stream }, query: { offset, follow, attempt }, signal }),
  );
  for await (const chunk of chunks) {
    if (chunk === undefined) continue;
    offset += chunk.length;
    yield chunk;
  }
}

/** Asked beforehand: after a lost connection an offset is of no use in another attempt. */
async function currentAttempt(
  transport: Transport,
  id: string,
  options: Reconnect,
): Promise<number | undefined> {
  const { signal } = options;
  try {
    const ask = () => transport.call<TaskView>('getTask', { params: { id }, signal });
    return (await repeat(options, ask)).attempt;
  } catch (error) {
    if (signal?.aborted === true) return undefined;
    throw error;
  }
}

/** Events in order of their number; progress as it comes. Ends quietly when the signal aborts. */
export async function* followEvents(
  transport: Transport,
  options: EventsOptions,
): AsyncGenerator<EventView> {
  let since = options.since ?? 0;
  const { follow, task, signal } = options;
  const chunks = resuming(transport, options, () =>
    transport.open('events', { query: { since, follow, task }, signal }),
  );
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    // A new connection starts with a whole line.
    if (chunk === undefined) {
      rest = Buffer.alloc(0);
      continue;
    }
    const { lines, left } = splitLines(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    rest = left;
    for (const line of lines) {
      const event = JSON.parse(line) as EventView;
      if ('seq' in event) since = event.seq;
      yield event;
    }
  }
}

/** Chunks of one response after another until one ends by itself; undefined marks each beginning. */
async function* resuming(
  transport: Transport,
  options: Reconnect,
  open: () => Promise<IncomingMessage>,
): AsyncGenerator<Buffer | undefined> {
  const tries = createTries(options);
  for (;;) {
    let response: IncomingMessage | undefined;
    try {
      response = await open();
      tries.connected();
      yield undefined;
      for await (const chunk of response) {
        tries.progressed();
        yield chunk as Buffer;
      }
      return;
    } catch (error) {
      if (options.signal?.aborted === true) return;
      await tries.failed(response === undefined ? error : broken(error, transport.socketPath));
    } finally {
      response?.destroy();
    }
  }
}

function broken(error: unknown, socketPath: string): Error {
  return connectionError(error as NodeJS.ErrnoException, socketPath);
}

function splitLines(buffer: Buffer): { lines: string[]; left: Buffer } {
  const end = buffer.lastIndexOf(0x0a);
  if (end < 0) return { lines: [], left: buffer };
  const text = buffer.toString('utf8', 0, end);
  return { lines: text.split('\n'), left: buffer.subarray(end + 1) };
}
