/**
 * Ends an attempt for good: consumes the ticket so that it can never start, or has everything of it
 * ended on the host and waits until a sweep there finds nothing left. What it had printed is kept.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import { attemptToken, isLocalOutput, type Task } from '../../domain/task.ts';
import { type CancelReply, cancelText, parseCancel } from '../../script/cancel.ts';
import { takeNotedJob } from '../../script/noted-job.ts';
import type { Step, StepContext } from '../dispatcher.ts';
import { seal, storedExit } from '../exit-news.ts';
import { hasJobs } from '../jobs/host-jobs.ts';
import type { Seat, Seats } from '../seats.ts';
import type { EngineSettings } from '../settings.ts';
import { removeParts } from '../staging/deliver.ts';
import type { Seen } from '../watched.ts';
import { whereIs } from '../where.ts';
import { type CancelJobDeps, cancelJob } from './cancel-job.ts';
import { removeLanding } from './stored-outputs.ts';

/** Longer than a killer's patience beyond the usual grace. */
export const ASK_AGAIN_MS = 60_000;

interface CancelDeps extends CancelJobDeps {
  seats: Seats;
  nonce: () => string;
  settings: () => EngineSettings;
  /** Where outputs for a storage wait for it. */
  uploadDir?: string | undefined;
  /** How long the mark of a killer is waited for before the host is asked again; 60 s. */
  askAgainMs?: number;
}

export function createCancel(deps: CancelDeps): Step {
  return async (context) => {
    const { task, attempt } = context;
    if (task.state.kind !== 'cancelling') throw new Error(`cancelling while ${task.state.kind}`);
    // Staging and pulling ended with their steps; nothing of this attempt was ever published.
    if (!task.state.published) return { kind: 'gone', attempt };
    const seat = deps.seats.get(task.state.host);
    // Its outputs were being fetched, perhaps by a daemon that was killed.
    if (task.state.exit !== undefined) {
      const token = attemptToken(task.id, attempt);
      await removeParts(token, task.spec.outputs.filter(isLocalOutput));
      await removeLanding(deps.uploadDir, token);
    }
    if (hasJobs(seat)) {
      await deps.submitter.settled(attemptToken(task.id, attempt));
      const { output, root } = await askToEnd(deps, seat, context);
      const { job: noted } = takeNotedJob(output);
      return cancelJob(deps, { seat, context, root, reply: parseCancel(output), noted });
    }
    for (;;) {
      const reply = parseCancel((await askToEnd(deps, seat, context)).output);
      const isGone = afterCancel(reply, { task, attempt, host: seat.name });
      if (isGone === 'gone') return { kind: 'gone', attempt };
      const news = await waitFor(deps, { seat, context, isGone });
      if (news !== undefined) return news;
    }
  };
}

/**
 * What a reply says: nothing is left, or how the end is known when it is seen.
 * @throws HOST_ROOT_UNAVAILABLE while it runs where nothing can be done about it, and what the host said
 */
export function afterCancel(
  reply: CancelReply,
  { task, attempt, host }: { task: Task; attempt: number; host: string },
): 'gone' | ((seen: Seen) => boolean) {
  switch (reply.kind) {
    case 'cancelled-before-start':
    case 'rebooted':
      return 'gone';
    case 'ended':
      return ({ verdict }) => verdict.kind === 'exited';
    case 'killed':
    case 'killing':
      // The killer marks the end only after its sweep found nothing; a record alone is not enough.
      return ({ verdict, killed }) =>
        killed || verdict.kind === 'cancelled' || verdict.kind === 'rebooted';
    case 'elsewhere':
      throw new AppError(
        'HOST_ROOT_UNAVAILABLE',
        `attempt ${attempt} of task ${task.id} runs on ${reply.hostname}, which ${host} is not just now`,
        { context: { host } },
      );
    case 'in-job':
      return ({ verdict }) => verdict.kind === 'exited';
    case 'failed':
      throw reply.error;
  }
}

async function askToEnd(deps: CancelDeps, seat: Seat, { task, attempt, signal }: StepContext) {
  const facts = await seat.facts();
  const token = attemptToken(task.id, attempt);
  const root = whereIs(task, attempt).root ?? facts.root;
  const text = cancelText({
    root,
    daemonId: deps.daemonId,
    token,
    nonce: deps.nonce(),
    graceMs: deps.settings().defaults.stopGraceMs,
    mvNoTarget: facts.tools.mvNoTarget,
    asJob: hasJobs(seat),
  });
  const reply = await seat.host.run(text, { purpose: `cancelling ${token}`, signal });
  return { output: reply.output, root };
}

interface Waiting {
  seat: Seat;
  context: StepContext;
  isGone: (seen: Seen) => boolean;
}

/**
 * Waits for the mark on the host, and for the streams as far as they came; undefined when it is time
 * to ask again, since who would have made the mark may have been killed, too.
 */
async function waitFor(
  deps: CancelDeps,
  { seat, context, isGone }: Waiting,
): Promise<NewsEvent | undefined> {
  const { task, attempt, signal, trouble } = context;
  const token = attemptToken(task.id, attempt);
  const root = whereIs(task, attempt).root ?? (await seat.facts()).root;
  const dir = seat.attemptDir(root, token);
  const launch = task.state.kind === 'cancelling' ? task.state.launch : undefined;
  const request = { token, dir, launch, signal, trouble };
  const askAgainAt = performance.now() + (deps.askAgainMs ?? ASK_AGAIN_MS);
  const isOver = (look: Seen): boolean => isGone(look) || performance.now() >= askAgainAt;
  const seen = await deps.watchers.watch(seat, request, isOver);
  if (!isGone(seen)) return undefined;
  const { verdict } = seen;
  await seal(deps.spool, token);
  const exit = verdict.kind === 'exited' ? storedExit(verdict.exit) : undefined;
  return { kind: 'gone', attempt, exit };
}
