/** An exit record as news: the command's own code, why the container never ran it, or what is wrong with its streams. */
import type { NewsEvent } from '../domain/events.ts';
import { AppError } from '../domain/failure.ts';
import type { ExitRecord } from '../domain/state.ts';
import { type AttemptToken, STREAMS, type StreamName, type Task } from '../domain/task.ts';
import type { AttemptExit, SalvagedExit } from '../script/records.ts';
import type { Spool } from '../spool/spool.ts';
import { momentOf } from './host-time.ts';
import { startFailure } from './start-failure.ts';

/** Both streams are here: nobody needs to ask the host for them again. Gives what there is of each. */
export async function seal(spool: Spool, token: AttemptToken): Promise<Bytes> {
  const bytes = await spool.bytes(token);
  await spool.attempt(token).seal(bytes);
  return bytes;
}

type Bytes = Record<StreamName, number>;

export function exitNews(
  where: { task: Task; attempt: number; host: string; bytes: Bytes; now: number },
  record: SalvagedExit | AttemptExit,
): NewsEvent {
  const { task, attempt, host } = where;
  const exit = { ...storedExit(record), finishedAt: momentOf(record.finishedAt, where.now) };
  const copier = 'copier' in record ? record.copier : undefined;
  // without its copier the container was ended by us, whatever it has to say about that
  if (exit.code === undefined && exit.limit === undefined && copier === undefined) {
    return {
      kind: 'step-failed',
      attempt,
      failure: startFailure(task, exit, host).toRecord(),
      exit,
    };
  }
  const recorded = { stdout: exit.stdoutBytes, stderr: exit.stderrBytes };
  const odd = STREAMS.find((stream) => where.bytes[stream] !== recorded[stream]);
  if (odd !== undefined) {
    const failure = new AppError(
      'STREAM_TRUNCATED',
      `${odd} of task ${task.id} has ${recorded[odd]} bytes on ${host}, ${where.bytes[odd]} were fetched`,
      { context: { task: task.id, host } },
    ).toRecord();
    return { kind: 'step-failed', attempt, failure, exit };
  }
  if (copier === undefined || exit.limit !== undefined) return { kind: 'exited', attempt, exit };
  const full = noRoom(record);
  if (full !== undefined) {
    const why = `${copier} of task ${task.id} could not be written on ${host}: ${full}; it was ended`;
    const noSpace = new AppError('HOST_NO_SPACE', why, { context: { task: task.id, host } });
    return { kind: 'step-failed', attempt, failure: noSpace.toRecord(), exit };
  }
  const failure = new AppError(
    'STREAM_COPIER_DIED',
    `the copier of ${copier} of task ${task.id} was ended on ${host}; output may be missing`,
    { context: { task: task.id, host } },
  ).toRecord();
  return { kind: 'step-failed', attempt, failure, exit };
}

/** Linux's numbers for a disk and a quota that are used up, as the supervisor found them. */
function noRoom(record: ExitRecord | AttemptExit): string | undefined {
  const code = 'copierCode' in record ? record.copierCode : undefined;
  if (code === 122) return 'its quota is used up';
  return code === 28 ? 'no space is left' : undefined;
}

/** What is stored with the task of a record from the host, which says more. */
export function storedExit(record: ExitRecord): ExitRecord {
  const {
    code,
    runtimeCode,
    limit,
    stdoutBytes,
    stderrBytes,
    finishedAt,
    runtimeLogTail,
    salvaged,
    usage,
    steps,
  } = record;
  return {
    code,
    runtimeCode,
    limit,
    stdoutBytes,
    stderrBytes,
    finishedAt,
    runtimeLogTail,
    salvaged,
    ...(usage !== undefined && { usage }),
    ...(steps !== undefined && { steps }),
  };
}
