/**
 * Follows one task: its events tell which attempt runs and when it has ended, its two streams go to
 * our own. All three go on by themselves after a restart of the daemon.
 */
import type { Client } from '../../client/client.ts';
import { ENDED_KINDS } from '../../domain/state.ts';
import { STREAMS, type StreamName } from '../../domain/task.ts';
import type { TaskView } from '../../protocol/views.ts';
import type { Call } from '../call.ts';
import { createStatusLine, type StatusLine } from './status-line.ts';

interface Session {
  call: Call;
  client: Client;
  id: string;
  status: StatusLine;
  /** Aborted when no more output is wanted. */
  stop: AbortController;
  /** Bytes of the current attempt that were handed on. */
  received: Record<StreamName, number>;
}

/** An ended task has all its bytes in the daemon; this is for a stream that does not say so. */
const DRAIN_POLL_MS = 50;
const DRAIN_MS_MAX = 10_000;

/** Streams the task's output until it has ended and all of it was printed. @throws BrokenPipe, AppError */
export async function followRun(call: Call, client: Client, task: TaskView): Promise<TaskView> {
  const session: Session = {
    call,
    client,
    id: task.id,
    status: createStatusLine(call.io.err),
    stop: new AbortController(),
    received: { stdout: 0, stderr: 0 },
  };
  try {
    return await attendEvents(session);
  } finally {
    session.stop.abort();
    session.status.erase();
  }
}

async function attendEvents(session: Session): Promise<TaskView> {
  const output = createOutput(session);
  output.begin(1);
  const { client, id, stop, status } = session;
  const events = client.events({
    task: id,
    follow: true,
    signal: stop.signal,
    onReconnect: (state) => status.connection(state),
  });
  const ended = (async () => {
    for await (const event of events) {
      status.show(event);
      if (event.type !== 'event') continue;
      output.begin(event.attempt);
      if (!(ENDED_KINDS as readonly string[]).includes(event.state)) continue;
      const view = await client.get(id);
      if (view.ended) return view;
    }
    return client.wait(id);
  })();
  // A broken pipe must be heard while the events are silent.
  const view = await Promise.race([ended, output.failed]);
  await Promise.race([output.done(), output.failed, drained(session, view)]);
  return view;
}

interface Output {
  /** Prints an attempt after the ones before it; a second call for the same attempt does nothing. */
  begin(attempt: number): void;
  done(): Promise<void>;
  /** Never resolves; rejects when printing failed. */
  failed: Promise<never>;
}

function createOutput(session: Session): Output {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let last = 0;
  let chain = Promise.resolve();
  return {
    begin(attempt) {
      if (attempt <= last) return;
      last = attempt;
      chain = chain.then(() => printAttempt(session, attempt)).catch(failed.reject);
    },
    done: () => chain,
    failed: failed.promise,
  };
}

async function printAttempt(session: Session, attempt: number): Promise<void> {
  session.received = { stdout: 0, stderr: 0 };
  await Promise.all(STREAMS.map((stream) => printStream(session, stream, attempt)));
}

async function printStream(session: Session, stream: StreamName, attempt: number): Promise<void> {
  const { call, client, id, status, stop } = session;
  const sink = stream === 'stdout' ? call.io.out : call.io.err;
  const options = { follow: true, attempt, signal: stop.signal };
  for await (const chunk of client.logs(id, stream, options)) {
    status.erase();
    await sink.write(chunk);
    session.received[stream] += chunk.length;
  }
}

async function drained({ received, stop }: Session, view: TaskView): Promise<void> {
  const end = performance.now() + DRAIN_MS_MAX;
  let seen = { ...received };
  let quietSince = performance.now();
  while (!stop.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    if (STREAMS.every((stream) => received[stream] >= view.streams[stream].bytes)) return;
    if (STREAMS.some((stream) => received[stream] !== seen[stream])) quietSince = performance.now();
    seen = { ...received };
    if (performance.now() > end && performance.now() - quietSince > DRAIN_MS_MAX) return;
  }
}
