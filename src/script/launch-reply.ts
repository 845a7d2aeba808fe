/** What a launch says became of it. */
import { z } from 'zod';
import type { AppError } from '../domain/failure.ts';
import type { SupervisorRecord } from '../domain/state.ts';
import { type NotedJob, takeNotedJob } from './noted-job.ts';
import { parseLaunchRecord } from './records.ts';
import { onlyLine, parseValue, replyInvalid, stepFailed } from './reply.ts';

export type LaunchReply =
  /** `mine`: this very run started it; otherwise an earlier one had. */
  | { kind: 'launched'; launch: SupervisorRecord; mine: boolean; job?: NotedJob | undefined }
  /** Its ticket is there. */
  | { kind: 'published'; job?: NotedJob | undefined }
  /** The ticket was taken by a cancel, or the attempt was cleaned away: it can never start. */
  | { kind: 'cancelled' }
  | { kind: 'conflict' }
  | { kind: 'image-gone' }
  | { kind: 'object-gone'; name: string }
  | { kind: 'input-gone'; path: string }
  | { kind: 'lacks'; need: number }
  /** Somebody else took the ticket in the very moment and has not written its record yet: run it again. */
  | { kind: 'again' }
  /** Nothing was started and nothing is left half done. */
  | { kind: 'failed'; error: AppError };

/** Reads the reply of a launch. @throws HOST_REPLY_INVALID. */
export function parseLaunch(output: string): LaunchReply {
  const { rest: own, job } = takeNotedJob(output);
  const { verb, rest, noise } = onlyLine('launch', own);
  switch (verb) {
    case 'started':
    case 'already': {
      const launch = parseLaunchRecord(rest);
      return { kind: 'launched', launch, mine: verb === 'started', ...(job && { job }) };
    }
    case 'published':
      return { kind: 'published', ...(job && { job }) };
    case 'lost':
      return { kind: 'again' };
    case 'cancelled':
    case 'conflict':
    case 'image-gone':
      return { kind: verb };
    case 'object-gone':
      return { kind: 'object-gone', name: rest };
    case 'input-gone':
      return { kind: 'input-gone', path: rest };
    case 'lacks':
      return { kind: 'lacks', need: parseValue(needSchema, rest, 'launch') };
    case 'failed':
      return { kind: 'failed', error: stepFailed('launch', rest, noise) };
    default:
      throw replyInvalid('launch', `unknown word ${JSON.stringify(verb)}`, noise);
  }
}

const needSchema = z.coerce.number().int().nonnegative();
