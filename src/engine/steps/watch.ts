/**
 * Follows a running attempt until its exit record is here and both streams with it. A supervisor
 * that is gone without a record is looked at again, then asked what its leader left; only what is
 * provably dead is interrupted.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import type { ExitRecord } from '../../domain/state.ts';
import { attemptToken, type Task } from '../../domain/task.ts';
import type { Verdict } from '../../script/verdict.ts';
import type { Spool } from '../../spool/spool.ts';
import type { Step } from '../dispatcher.ts';
import { exitNews, seal } from '../exit-news.ts';
import { hasJobs } from '../jobs/host-jobs.ts';
import type { AskUsage } from '../jobs/job-usage.ts';
import type { JobWatch } from '../jobs/job-watch.ts';
import { lookAgain, patienceMs } from '../late-files.ts';
import { type Salvaged, salvage } from '../salvage.ts';
import type { Seat, Seats } from '../seats.ts';
import { sleep } from '../sleep.ts';
import type { Seen, WatchRequest } from '../watched.ts';
import type { Watchers } from '../watchers.ts';
import { watchJob } from './watch-job.ts';

interface WatchDeps {
  seats: Seats;
  watchers: Watchers;
  jobWatch: JobWatch;
  askUsage: AskUsage;
  spool: Spool;
  now: () => number;
  /** Between two looks at what is late. */
  pause?: typeof sleep;
}

/** Sightings of a dead supervisor before it is believed; each is a fresh look, some time after the last. */
const SIGHTINGS = 3;

/** Launched by this daemon and watched right after: not one that it found when it started. */
const FRESH_MS = 1_000;

export function createWatch(deps: WatchDeps): Step {
  const { seats, watchers, spool, now } = deps;
  return async (context) => {
    const { task, attempt, signal, trouble } = context;
    if (task.state.kind !== 'running') throw new Error(`watching while ${task.state.kind}`);
    const { launch, host } = task.state;
    const seat = seats.get(host);
    const token = attemptToken(task.id, attempt);
    const dir = seat.attemptDir(launch.root, token);
    const { job } = launch;
    if (job !== undefined && hasJobs(seat)) {
      const awaited = (exit: ExitRecord, request: WatchRequest) =>
        awaitStreams(exit, { deps, seat, request });
      const one = { seat, context, launch: { ...launch, job }, awaitStreams: awaited, isEnd };
      return watchJob(deps, one);
    }
    const where = { task, attempt, host };
    let isFresh = now() - task.state.since < FRESH_MS;
    for (;;) {
      const request = { token, dir, launch, signal, trouble, isFresh };
      isFresh = false;
      const { verdict } = await watchers.watch(seat, request, isEnd);
      if (verdict.kind === 'exited') await awaitStreams(verdict.exit, { deps, seat, request });
      const bytes = verdict.kind === 'exited' ? await seal(spool, token) : NO_BYTES;
      const end = newsOfEnd(verdict, { ...where, bytes, now: now() });
      if (end !== undefined) return end;
      const left = await salvage({ seat, token, dir, launch, signal });
      if (left.kind === 'alive') continue;
      // What it printed after the last look: nothing of it lives now, so one more look sees all.
      await watchers.watch(seat, request, () => true);
      const bytesNow = left.kind === 'exited' ? await seal(spool, token) : NO_BYTES;
      const logoutKills = seat.knownFacts()?.logout === 'killed';
      return newsOfLeft(left, { ...where, bytes: bytesNow, now: now(), logoutKills });
    }
  };
}

interface Streams {
  deps: WatchDeps;
  seat: Seat;
  request: WatchRequest;
}

/** The record may be seen before the end of the streams it counts. */
async function awaitStreams(exit: ExitRecord, { deps, seat, request }: Streams): Promise<void> {
  const { spool, watchers, pause = sleep } = deps;
  const { token, signal } = request;
  const patience = { patienceMs: patienceMs(seat.knownFacts()?.rootFsType), pause, signal };
  let looks = 0;
  const look = async (): Promise<boolean> => {
    looks += 1;
    if (looks > 1) await watchers.watch(seat, request, () => true);
    const { stdout, stderr } = await spool.bytes(token);
    return stdout < exit.stdoutBytes || stderr < exit.stderrBytes;
  };
  await lookAgain(patience, look, (isShort) => isShort);
}

/** True when the look must be acted on. */
export function isEnd({ verdict }: Seen): boolean {
  switch (verdict.kind) {
    case 'exited':
    case 'rebooted':
    case 'cancelled':
      return true;
    case 'dead-suspect':
      return verdict.sightings >= SIGHTINGS;
    case 'running':
    case 'not-published':
    case 'not-started':
    case 'started':
    case 'unknown':
      return false;
  }
}

type Where = Parameters<typeof exitNews>[0];

const NO_BYTES = { stdout: 0, stderr: 0 };

/** What an end that was seen means; undefined: its supervisor is gone, and what it left must be looked at. */
export function newsOfEnd(verdict: Verdict, where: Where): NewsEvent | undefined {
  const { task, attempt, host } = where;
  if (verdict.kind === 'exited') return exitNews(where, verdict.exit);
  if (verdict.kind === 'rebooted') return died(task, attempt, `host ${host} was rebooted`);
  if (verdict.kind === 'cancelled') return died(task, attempt, 'it was cancelled on the host');
  return undefined;
}

/** What is left of an attempt none of whose processes lives. */
export function newsOfLeft(
  left: Exclude<Salvaged, { kind: 'alive' }>,
  where: Where & { logoutKills?: boolean },
): NewsEvent {
  if (left.kind === 'exited') return exitNews(where, left.exit);
  const { task, attempt, host } = where;
  const why = `its supervisor on ${host} was killed and left no exit code`;
  if (where.logoutKills !== true) return died(task, attempt, why);
  const cause =
    'that host ends what a login started when its connection closes (KillUserProcesses=yes)';
  return died(task, attempt, `${why}; ${cause}, what helps says: towline host doctor ${host}`);
}

function died(task: Task, attempt: number, why: string): NewsEvent {
  const failure = new AppError(
    'TASK_INTERRUPTED',
    `attempt ${attempt} of task ${task.id} is dead: ${why}`,
    {
      context: { task: task.id, attempt },
    },
  ).toRecord();
  return { kind: 'died', attempt, failure };
}
