/** Removes an attempt's directory from its host: only what is ours, never while something of it lives. */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import { attemptToken, type Task } from '../../domain/task.ts';
import { type CleanResult, cleanText, parseClean } from '../../script/clean.ts';
import type { Step } from '../dispatcher.ts';
import type { Seats } from '../seats.ts';
import { whereIs } from '../where.ts';

interface CleanDeps {
  seats: Seats;
  daemonId: string;
}

export function createCleanUp({ seats, daemonId }: CleanDeps): Step {
  return async ({ task, attempt, signal }) => {
    const { host, root: launchedIn } = whereIs(task, attempt);
    if (host === undefined) return { kind: 'cleaned', attempt };
    const seat = seats.get(host);
    const root = launchedIn ?? (await seat.facts()).root;
    const token = attemptToken(task.id, attempt);
    const plan = { root, daemonId, tokens: [token] };
    const reply = await seat.host.run(cleanText(plan), {
      purpose: `removing ${token}`,
      lane: 'slow',
      signal,
    });
    const result = parseClean(plan, reply.output).get(token);
    return newsOfClean(result, { task, attempt, host });
  };
}

/** @throws HOST_COMMAND_FAILED while something is left */
export function newsOfClean(
  result: CleanResult | undefined,
  { task, attempt, host }: { task: Task; attempt: number; host: string },
): NewsEvent {
  if (result?.kind === 'cleaned') return { kind: 'cleaned', attempt, bytes: result.bytes };
  const why = result?.kind === 'failed' ? result.reason : 'something of it still runs';
  const token = attemptToken(task.id, attempt);
  throw new AppError('HOST_COMMAND_FAILED', `removing ${token} on ${host}: ${why}`, {
    context: { host, task: task.id },
  });
}
