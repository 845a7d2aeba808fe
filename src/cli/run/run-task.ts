/** The course of `towline run`: submit, stream, end as the command ended. Read next: session.ts. */
import type { Client } from '../../client/client.ts';
import { isDaemonAway } from '../../client/errors.ts';
import type { WireTaskSpec } from '../../protocol/spec-schema.ts';
import type { TaskView } from '../../protocol/views.ts';
import type { Call } from '../call.ts';
import {
  EXIT_BROKEN_PIPE,
  EXIT_HANGUP,
  EXIT_INTERRUPTED,
  EXIT_NOT_THE_COMMANDS,
  EXIT_OK,
} from '../exit-codes.ts';
import { BrokenPipe } from '../io.ts';
import { errorText } from '../output/error.ts';
import { printJson } from '../output/json.ts';
import { followRun } from './session.ts';
import { catchSignals, type Signals } from './signals.ts';

interface RunTaskOptions {
  idempotencyKey?: string | undefined;
  detach: boolean;
}

/** How long a pipeline that has ended is kept waiting for the daemon's word on the cancel. */
const CANCEL_ACK_MS = 5000;
const CANCEL_RETRY_MS = 200;
/** What a cancelled task still printed is shown, unless nobody takes it. */
const LAST_WORDS_MS = 1000;

/** Runs a task to its end and gives the exit code of `towline run`. @throws AppError when it cannot be followed */
export async function runTask(
  call: Call,
  spec: WireTaskSpec,
  options: RunTaskOptions,
): Promise<number> {
  const client = await call.client();
  const signals = catchSignals();
  try {
    const task = await submitOne(client, spec, options);
    if (options.detach) {
      await (call.json ? printJson(call.io, task) : call.io.out.write(`${task.id}\n`));
      return EXIT_OK;
    }
    return await attend(call, client, { task, signals });
  } finally {
    signals.release();
  }
}

async function submitOne(
  client: Client,
  spec: WireTaskSpec,
  { idempotencyKey }: RunTaskOptions,
): Promise<TaskView> {
  const { tasks } = await client.submit([spec], { idempotencyKey });
  const [task] = tasks;
  if (task === undefined) throw new Error('the daemon gave back no task');
  return task;
}

async function attend(
  call: Call,
  client: Client,
  { task, signals }: { task: TaskView; signals: Signals },
): Promise<number> {
  const following = followed(call, client, { task, signals });
  const interrupted = signals.interrupted.then(async () => {
    signals.onSecond(`towline: leaving; task ${task.id} is being cancelled\n`);
    await call.io.err.write(`towline: cancelling ${task.id}\n`).catch(() => {});
    await cancelSurely(client, task.id);
    // When this fails the other side of the race says why.
    await client.wait(task.id).catch(() => new Promise(() => {}));
    await Promise.race([following.catch(() => {}), pause(LAST_WORDS_MS)]);
    return EXIT_INTERRUPTED;
  });
  const hungUp = signals.hungUp.then(() => EXIT_HANGUP);
  try {
    return await Promise.race([following, interrupted, hungUp]);
  } catch (error) {
    if (!(error instanceof BrokenPipe)) throw error;
    await Promise.race([cancelSurely(client, task.id), pause(CANCEL_ACK_MS)]);
    return EXIT_BROKEN_PIPE;
  }
}

/** Cancels also through a restart of the daemon; a task that ended meanwhile need not be cancelled. */
async function cancelSurely(client: Client, id: string): Promise<void> {
  for (;;) {
    try {
      await client.cancel(id);
      return;
    } catch (error) {
      if (!isDaemonAway(error)) return;
      await pause(CANCEL_RETRY_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function followed(
  call: Call,
  client: Client,
  { task, signals }: { task: TaskView; signals: Signals },
): Promise<number> {
  const end = await followRun(call, client, task);
  // The answer to Ctrl-C comes from the other side of the race.
  if (signals.isInterrupted()) return EXIT_INTERRUPTED;
  return concludeRun(call, end);
}

/** The command's own code where it has one; else 125 and why. */
async function concludeRun(call: Call, end: TaskView): Promise<number> {
  const own = end.state === 'succeeded' || end.failure?.code === 'TASK_EXIT_CODE';
  if (own && end.exitCode !== undefined) return end.exitCode;
  if (end.state === 'succeeded') return EXIT_OK;
  const failure = end.failure ?? {
    code: 'TASK_CANCELLED',
    message: `task ${end.id} was ${end.state}`,
    hint: `run it again: towline retry ${end.id}`,
  };
  const text = call.json
    ? `${JSON.stringify({ error: failure, stderrTail: end.stderrTail, logs: end.logs })}\n`
    : `${errorText({ ...failure, code: failure.code as 'INTERNAL' })}${inFull(end)}`;
  await call.io.err.write(text);
  return EXIT_NOT_THE_COMMANDS;
}

/** Its stderr was shown already. */
function inFull({ logs }: TaskView): string {
  return logs === undefined ? '' : `in full: ${logs.commands.join(', ')}\n`;
}
