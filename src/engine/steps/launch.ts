/**
 * Publishes the attempt and has its ticket consumed, in one round trip. Run again for ever until the
 * host says who won: the remote claim, not this step, decides that it starts once.
 */
import { AppError } from '../../domain/failure.ts';
import { type AttemptToken, attemptToken, type Task } from '../../domain/task.ts';
import { type LaunchReply, launchText, parseLaunch } from '../../script/launch.ts';
import type { Step } from '../dispatcher.ts';
import { type LaunchContent, launchDigest, launchFiles } from '../launch-files.ts';
import type { Seats } from '../seats.ts';
import type { EngineSettings } from '../settings.ts';

interface LaunchDeps {
  seats: Seats;
  daemonId: string;
  nonce: () => string;
  settings: () => EngineSettings;
}

export function createLaunch(deps: LaunchDeps): Step {
  return async ({ task, attempt, signal }) => {
    if (task.state.kind !== 'launching') throw new Error(`launching while ${task.state.kind}`);
    const { image, inputs } = task.state;
    const seat = deps.seats.get(task.state.host);
    const facts = await seat.ready();
    const token = attemptToken(task.id, attempt);
    const content: LaunchContent = {
      spec: task.spec,
      token,
      dir: `${facts.root}/tasks/${deps.daemonId}/${token}`,
      inputs,
      imagePath: image.path,
      runtime: facts.runtime,
      runtimeArgs: seat.policy.runtimeArgs,
      setup: seat.policy.setup,
      defaultSignal: facts.tools.defaultSignal,
    };
    const text = launchText({
      root: facts.root,
      daemonId: deps.daemonId,
      token,
      nonce: deps.nonce(),
      digest: launchDigest(content),
      files: launchFiles(content),
      inputs,
      image,
      outputLimitBytes: task.spec.outputLimitBytes ?? deps.settings().defaults.outputLimitBytes,
      timeLimitMs: task.spec.timeLimitMs ?? 0,
      mvNoTarget: facts.tools.mvNoTarget,
    });
    const reply = await seat.host.run(text, { purpose: `launching ${token}`, signal });
    return newsOf(parseLaunch(reply.output), { task, attempt, token, host: seat.name });
  };
}

interface Where {
  task: Task;
  attempt: number;
  token: AttemptToken;
  host: string;
}

function newsOf(
  reply: LaunchReply,
  { task, attempt, token, host }: Where,
): Awaited<ReturnType<Step>> {
  switch (reply.kind) {
    case 'launched':
      return { kind: 'launched', attempt, launch: reply.launch };
    case 'image-gone': {
      // A file of the user's that is not there will not come back by pulling it.
      const path = task.state.kind === 'launching' ? task.state.image.path : '';
      if (!task.spec.images.some((image) => image.endsWith(path)))
        return { kind: 'image-gone', attempt };
      throw new AppError(
        'IMAGE_NOT_FOUND',
        `image ${path} is not a readable file on host ${host}`,
        {
          context: { host, image: path, task: task.id },
        },
      );
    }
    case 'object-gone':
      return { kind: 'inputs-gone', attempt };
    case 'input-gone':
      throw new AppError(
        'STAGE_REMOTE_INPUT_MISSING',
        `input ${reply.path} is not there on host ${host}`,
        {
          context: { host, path: reply.path, task: task.id },
        },
      );
    case 'again':
      throw new AppError('HOST_COMMAND_FAILED', `launching ${token}: another launch is under way`, {
        context: { host },
      });
    case 'cancelled':
      return { kind: 'gone', attempt };
    case 'conflict':
      throw new AppError(
        'LAUNCH_CONFLICT',
        `the directory of ${token} on ${host} has other content`,
        {
          context: { host, task: task.id },
        },
      );
    case 'failed':
      throw new AppError(reply.error.code, reply.error.message, {
        context: { host, task: task.id },
      });
  }
}
