/**
 * Publishes the attempt and has its ticket consumed, in one round trip. Run again for ever until the
 * host says who won: the remote claim, not this step, decides that it starts once.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import type {
  JobRecord,
  LaunchRecord,
  StagedInputs,
  SupervisorRecord,
  TaskState,
} from '../../domain/state.ts';
import { type AttemptToken, attemptToken, hasOutputs, type Task } from '../../domain/task.ts';
import { volumeDirectories } from '../../domain/volumes.ts';
import type { RunOptions } from '../../remote/host.ts';
import { parseImage } from '../../script/image-ref.ts';
import { type LaunchImage, launchText } from '../../script/launch.ts';
import { type LaunchReply, parseLaunch } from '../../script/launch-reply.ts';
import type { Step } from '../dispatcher.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { momentOf } from '../host-time.ts';
import { hasJobs } from '../jobs/host-jobs.ts';
import { type LaunchContent, launchDigest, launchFiles } from '../launch-files.ts';
import { type NamedNeed, needsOf, pathValues, placesOf } from '../places.ts';
import type { Seats } from '../seats.ts';
import type { EngineSettings } from '../settings.ts';
import { type JobDeps, launchAsJob } from './launch-job.ts';

interface LaunchDeps extends JobDeps {
  seats: Seats;
  nonce: () => string;
  settings: () => EngineSettings;
}

export function createLaunch(deps: LaunchDeps): Step {
  return async (context) => {
    const { task, attempt, signal } = context;
    if (task.state.kind !== 'launching') throw new Error(`launching while ${task.state.kind}`);
    const { image, inputs, gpus } = task.state;
    const seat = deps.seats.get(task.state.host);
    const facts = await seat.ready();
    const token = attemptToken(task.id, attempt);
    const { defaults } = deps.settings();
    const places = placesOf(task.spec, pathValues(facts), { policy: seat.policy, defaults });
    const needs = needsOf(places);
    const content: LaunchContent = {
      spec: task.spec,
      token,
      dir: `${facts.root}/tasks/${deps.daemonId}/${token}`,
      inputs,
      gpus,
      imagePath: image.path,
      thenPaths: image.then?.map(({ path }) => path),
      runtime: facts.runtime,
      runtimeArgs: seat.policy.runtimeArgs,
      inJob: hasJobs(seat),
      setup: seat.policy.setup,
      defaultSignal: facts.tools.defaultSignal,
      places,
    };
    const asJob = hasJobs(seat) ? { asJob: true } : {};
    const outputLimitBytes = task.spec.outputLimitBytes ?? defaults.outputLimitBytes;
    const timeLimitMs = task.spec.timeLimitMs ?? 0;
    const plan = {
      root: facts.root,
      daemonId: deps.daemonId,
      token,
      digest: launchDigest(content),
      files: launchFiles(content),
      inputs,
      volumes: task.spec.volumes,
      directories: volumeDirectories(task.spec),
      image: imageOf(image),
      laterImages: image.then?.map(imageOf),
      needs,
      outputLimitBytes,
      timeLimitMs,
      hasOutputs: hasOutputs(task.spec),
      inUserScope: facts.logout === 'scope',
      mvNoTarget: facts.tools.mvNoTarget,
      ...asJob,
    };
    const publish = async (lane: 'quick' | 'slow' = 'quick'): Promise<LaunchReply> => {
      const text = launchText({ ...plan, nonce: deps.nonce() });
      const purpose = `launching ${token}`;
      const options = { purpose, lane, signal, ...timeFor(inputs) };
      return parseLaunch((await seat.host.run(text, options)).output);
    };
    const where = { task, attempt, token, host: seat.name, root: facts.root, needs };
    const { notReused } = task.state;
    const fingerprint = fingerprintOf({ spec: task.spec, inputs, image, host: seat.name });
    const about = { fingerprint, notReused };
    const newsOf = (reply: LaunchReply, job?: JobRecord): NewsEvent =>
      newsOfLaunch(reply, { ...where, now: deps.now(), about: { ...about, job } });
    if (!hasJobs(seat)) return newsOf(await publish());
    const wanted = {
      root: facts.root,
      task: { token, outputLimitBytes, timeLimitMs, hasOutputs: plan.hasOutputs },
      request: seat.jobs.scheduler.request(task.spec),
      comment: task.spec.name,
    };
    return launchAsJob(deps, { seat, context, wanted, dir: content.dir, publish, newsOf });
  };
}

function imageOf({ path, reference }: { path: string; reference: string }): LaunchImage {
  return { path, inCache: parseImage(reference).kind === 'registry' };
}

/** Each input is a program on the host; thousands of them take as long as a large file, and hold nobody up. */
const MANY_INPUTS = 200;
const MANY_INPUTS_MS = 600_000;

function timeFor({ files }: StagedInputs): Partial<RunOptions> {
  if (files.length <= MANY_INPUTS) return {};
  return { lane: 'slow', deadlineMs: MANY_INPUTS_MS };
}

/** Which try the reply is of. */
export interface Launching {
  task: Task;
  attempt: number;
  token: AttemptToken;
  host: string;
  root: string;
  now: number;
  needs: readonly NamedNeed[];
  /** What else the record tells. */
  about?: Pick<LaunchRecord, 'fingerprint' | 'notReused' | 'job'>;
}

/**
 * What a reply says for certain: nothing was started. Anything else than a reply is thrown and the
 * launch is run again, since an earlier one may have worked.
 */
export function newsOfLaunch(reply: LaunchReply, where: Launching): NewsEvent {
  const { task, attempt, token, host } = where;
  const refused = (...[code, message]: ConstructorParameters<typeof AppError>): NewsEvent => {
    const failure = new AppError(code, message, { context: { host, task: task.id } }).toRecord();
    return { kind: 'step-failed', attempt, failure };
  };
  switch (reply.kind) {
    case 'launched':
      return { kind: 'launched', attempt, launch: launchRecord(reply.launch, where) };
    case 'published':
      throw new AppError('HOST_REPLY_INVALID', `launching ${token}: published and not started`);
    case 'image-gone':
      return imageGone(where);
    case 'object-gone':
      return { kind: 'inputs-gone', attempt };
    case 'input-gone':
      return refused(
        'STAGE_REMOTE_INPUT_MISSING',
        `input ${reply.path} is not there on host ${host}`,
      );
    case 'lacks':
      return lacks(reply.need, where);
    case 'cancelled':
      return { kind: 'gone', attempt };
    case 'conflict':
      return refused('LAUNCH_CONFLICT', `the directory of ${token} on ${host} has other content`);
    case 'again': {
      const why = `launching ${token}: another launch is under way`;
      throw new AppError('HOST_COMMAND_FAILED', why, { context: { host } });
    }
    case 'failed':
      if (reply.error.retry === 'later' || reply.error.code === 'HOST_NO_SPACE') throw reply.error;
      return refused(reply.error.code, reply.error.message);
  }
}

function lacks(index: number, { task, attempt, host, needs }: Launching): NewsEvent {
  const need = needs[index];
  if (need === undefined) throw new AppError('HOST_REPLY_INVALID', `launch: no need ${index}`);
  const why = need.directory === true ? 'is no directory to write to' : 'is not there';
  const failure = new AppError(need.code, `${need.what} ${why} on host ${host}`, {
    context: { host, path: need.path, task: task.id },
  });
  return { kind: 'step-failed', attempt, failure: failure.toRecord() };
}

function launchRecord(record: SupervisorRecord, { root, now, about }: Launching): LaunchRecord {
  return { ...record, ...about, root, startedAt: momentOf(record.startedAt, now) };
}

/** A pulled image is pulled again; a file of the user's that is not there will not come back by that. */
function imageGone({ task, attempt, host }: Launching): NewsEvent {
  const { image } = task.state as TaskState & { kind: 'launching' };
  if (parseImage(image.reference).kind === 'registry') return { kind: 'image-gone', attempt };
  const why = `image ${image.path} is not a readable file on host ${host}`;
  const context = { host, image: image.path, task: task.id };
  return {
    kind: 'step-failed',
    attempt,
    failure: new AppError('IMAGE_NOT_FOUND', why, { context }).toRecord(),
  };
}
