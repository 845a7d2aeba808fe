/**
 * What Towline wants of a scheduler, as pure texts and readers of their replies: one folder beside this file is
 * one scheduler. What comes in: the request of a task, names and ids of jobs, replies. What goes out: words and
 * texts for a host, and what the replies mean. Never here: I/O, waiting, what is done about an answer
 * (engine/jobs does both).
 *
 * Three rules hold for every scheduler:
 * - A job is known by its name, which is made here and unique; an id is what the scheduler calls it, and may be
 *   given to another job later. What is listed under the id with another name is not it.
 * - An answer that did not come, is empty or cannot be read says nothing: it is `unknown`, never an end.
 * - It only explains. Whether an attempt started is decided by its ticket, how it ended by its exit record.
 */
import type { AppError } from '../domain/failure.ts';
import type { Judgement } from '../domain/judgement.ts';
import type { JobRecord } from '../domain/state.ts';
import type { TaskSpec } from '../domain/task.ts';
import type { JobVariables } from '../script/job.ts';
import type { SubmitReply } from '../script/submit-job.ts';

/** What a task asks of the scheduler. */
export interface JobRequest {
  /** Words for the command that submits. Tasks whose words are the same may share a job. */
  args: readonly string[];
  /** What the user should know: what was made smaller to fit. */
  notes: readonly string[];
}

export interface Submission {
  request: JobRequest;
  name: string;
  /** Of attempts that run side by side; 1: no array. */
  count: number;
  /** Of a pilot: how long it may last. */
  walltimeMs?: number | undefined;
  /** For people who look at the queue. */
  comment?: string | undefined;
  /** Directory that the scheduler's own log goes to. */
  directory: string;
}

export type SubmitVerdict =
  | { kind: 'accepted'; id: string }
  /** Nothing was accepted. Its `retry` says whether it may be later. */
  | { kind: 'refused'; error: AppError }
  /** It may have been accepted: look it up by its name first. */
  | { kind: 'unsure'; error: AppError };

export type JobRef = Pick<JobRecord, 'id' | 'name'>;

export type JobSight =
  | { kind: 'pending'; reason: string; startsAt?: string | undefined }
  /** Also when it is being set up, suspended, or brought to its end. */
  | { kind: 'running'; node?: string | undefined }
  | { kind: 'ended'; end: JobEnd }
  /** The list came and it is not in there: it is asked for by its id. */
  | { kind: 'unlisted' }
  /** The scheduler says that there is no such job. */
  | { kind: 'denied'; why: string }
  | { kind: 'unknown'; why: string };

export const JOB_ENDS = [
  'completed',
  'failed',
  'time-limit',
  'out-of-memory',
  'node-failed',
  'preempted',
  'boot-failed',
  'deadline',
  'cancelled',
  'requeued',
  'forgotten',
] as const;

export interface JobEnd {
  why: (typeof JOB_ENDS)[number];
  /** The scheduler's own word. */
  state: string;
  /** As the scheduler tells it, `0:0`; often wrong about why. */
  exitCode?: string | undefined;
  /** What more it says. */
  reason?: string | undefined;
}

/** Of all that a job ran. */
export interface JobUsage {
  /** Peak of the largest process. */
  maxRssBytes: number;
}

/** One of the things that doctor looks at, judged by the answer to `inspectText`; undefined: it says nothing of it. */
export interface SchedulerCheck {
  id: string;
  title: string;
  judge: (output: string) => Judgement;
}

export interface Scheduler {
  /** The word of the configuration. */
  readonly kind: string;
  /** Its name, for messages. */
  readonly title: string;
  /** Attempts that one array may hold. */
  readonly arrayMax: number;
  /** Lines of the site that make its commands known; all texts below have them. */
  readonly setup: readonly string[];
  /** Variables that would change what the launch depends on. */
  readonly unset: readonly string[];
  /** How a job learns what it is. */
  readonly variables: JobVariables;
  /** The line of the submitting command's output that tells the id: a basic regular expression with one group. */
  readonly idLine: string;
  /** @throws SLURM_LIMIT and TASK_INVALID for what no job can be asked for */
  request(spec: TaskSpec): JobRequest;
  /** The name of the job of a batch. */
  jobName(batch: string): string;
  submitCommand(submission: Submission): string[];
  judgeSubmit(reply: SubmitReply, host: string): SubmitVerdict;
  /** Asks whether jobs of these names are known, in the queue and in what ended. */
  findText(names: readonly string[]): string;
  /** Ids by name; undefined while not all that must be asked have answered. */
  parseFind(output: string): Map<string, string[]> | undefined;
  /** One question for all jobs of the account. */
  queueText(): string;
  parseQueue(output: string, jobs: readonly JobRef[]): JobSight[];
  /** Asks for jobs that the queue does not list any more. */
  detailText(jobs: readonly JobRef[]): string;
  parseDetail(output: string, jobs: readonly JobRef[]): JobSight[];
  /** A text for the login node that runs the one given where the job runs, with its streams and code. */
  withinText(job: JobRef, text: string, tty: boolean): string;
  /** Asks what jobs that have ended used. */
  usageText(ids: readonly string[]): string;
  /** By id; undefined where the scheduler keeps no accounts. */
  parseUsage(output: string, jobs: readonly JobRef[]): Map<string, JobUsage> | undefined;
  /** Ends jobs; that it did is seen in the queue. */
  cancelText(ids: readonly string[]): string;
  /** What doctor asks: facts only, nothing is submitted. */
  inspectText(): string;
  readonly checks: readonly SchedulerCheck[];
  /** Why the command failed for another reason than that the jobs are gone. */
  parseCancel(output: string, host: string): AppError | undefined;
}
