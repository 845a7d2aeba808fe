/**
 * Publishes the attempt and has its ticket consumed, in one round trip. Run again for ever until the
 * host says who won: the remote claim, not this step, decides that it starts once.
 */
import type { NewsEvent } from '../../domain/events.ts';
import { AppError } from '../../domain/failure.ts';
import type { LaunchRecord, SupervisorRecord, TaskState } from '../../domain/state.ts';
import { type AttemptToken, attemptToken, hasOutputs, type Task } from '../../domain/task.ts';
import { parseImage } from '../../script/image-ref.ts';
import { type LaunchReply, launchText, parseLaunch } from '../../script/launch.ts';
import type { Step } from '../dispatcher.ts';
import { momentOf } from '../host-time.ts';
import { type LaunchContent, launchDigest, launchFiles } from '../launch-files.ts';
import { type NamedNeed, needsOf, pathValues, placesOf } from '../places.ts';
import type { Seats } from '../seats.ts';
import type { EngineSettings } from '../settings.ts';

interface LaunchDeps {
  seats: Seats;
  daemonId: string;
  nonce: () => string;
  settings: () => EngineSettings;
  now: () => number;
}

export function createLaunch(deps: LaunchDeps): Step {
  return async ({ task, attempt, signal }) => {
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
      runtime: facts.runtime,
      runtimeArgs: seat.policy.runtimeArgs,
      setup: seat.policy.setup,
      defaultSignal: facts.tools.defaultSignal,
      places,
    };
    const text = launchText({
      root: facts.root,
      daemonId: deps.daemonId,
      token,
      nonce: deps.nonce(),
      digest: launchDigest(content),
      files: launchFiles(content),
      inputs,
      image: { path: image.path, inCache: parseImage(image.reference).kind === 'registry' },
      needs,
      outputLimitBytes: task.spec.outputLimitBytes ?? defaults.outputLimitBytes,
      timeLimitMs: task.spec.timeLimitMs ?? 0,
      hasOutputs: hasOutputs(task.spec),
      inUserScope: facts.logout === 'scope',
      mvNoTarget: facts.tools.mvNoTarget,
    });
    const reply = await seat.host.run(text, { purpose: `launching ${token}`, signal });
    const where = {
      task,
      attempt,
      token,
      host: seat.name,
      root: facts.root,
      now: deps.now(),
      needs,
    };
    return newsOfLaunch(parseLaunch(reply.output), where);
  };
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

function launchRecord(record: SupervisorRecord, { root, now }: Launching): LaunchRecord {
  return { ...record, root, startedAt: momentOf(record.startedAt, now) };
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
