/** The files of an attempt's directory, made from the task alone: the launch publishes them, a plan shows them. */
import { createHash } from 'node:crypto';
import type { GpuGrant, StagedInputs } from '../domain/state.ts';
import type { AttemptToken, TaskSpec } from '../domain/task.ts';
import { gpuVariables } from '../script/gpus.ts';
import type { LaunchFile } from '../script/launch.ts';
import { supervisorScript } from '../script/supervisor.ts';
import { commandText, type ScriptPlan, taskScript } from '../script/task-script.ts';
import type { Places } from './places.ts';

export interface LaunchContent {
  spec: TaskSpec;
  token: AttemptToken;
  /** The attempt's directory on the host. */
  dir: string;
  inputs: StagedInputs;
  gpus?: GpuGrant | undefined;
  imagePath: string;
  /** Of the images of further steps. */
  thenPaths?: readonly string[] | undefined;
  runtime: { path: string; version: string };
  runtimeArgs: readonly string[];
  setup?: string | undefined;
  defaultSignal: boolean;
  places: Places;
  /** A job runs it, which has its devices from the scheduler. */
  inJob?: boolean | undefined;
}

/** @throws TASK_INVALID naming the field that cannot be carried */
export function launchFiles(content: LaunchContent): LaunchFile[] {
  const { spec } = content;
  return [
    { name: 'run.sh', content: taskScript(scriptPlan(content)), mode: 0o700 },
    { name: 'sup.sh', content: supervisorScript(), mode: 0o600 },
    { name: 'command', content: commandText(spec.command), mode: 0o600 },
    { name: 'spec.json', content: specJson(content), mode: 0o600 },
  ];
}

/** How the container of an attempt is started. */
export function scriptPlan(content: LaunchContent): ScriptPlan {
  const { spec, token, dir, inputs, imagePath, runtime } = content;
  return {
    dir,
    token,
    runtime: runtime.path,
    setup: content.setup,
    runtimeArgs: [...content.runtimeArgs, ...spec.runtimeArgs],
    imagePath,
    command: spec.command,
    // IMPORTANT: the devices given win over what the task says itself: another task has the others.
    env: { ...spec.env, ...gpuVariables(content.gpus) },
    binds: content.places.binds,
    volumes: spec.volumes,
    workdir: spec.workdir,
    redirect: spec.redirect,
    goOn: spec.goOn,
    then: spec.then?.map(({ argv, env, workdir, redirect, goOn }, index) => {
      const path = content.thenPaths?.[index] ?? imagePath;
      const command = { kind: 'argv' as const, argv };
      return { imagePath: path, command, env, workdir, redirect, goOn };
    }),
    inputs,
    gpus: content.gpus,
    job: content.inJob === true ? { gpus: (spec.gpus ?? 0) > 0 } : undefined,
    tmpDir: content.places.tmpDir,
    overlay: content.places.overlay,
    fakeroot: spec.fakeroot,
    network: spec.network,
    variablePrefix: isSingularity(runtime) ? 'SINGULARITY' : 'APPTAINER',
    noEval: true,
    defaultSignal: content.defaultSignal,
  };
}

/**
 * Says what is launched, not how: a newer Towline writes other scripts for the same digest and must
 * recognise what an older one published.
 */
export function launchDigest({
  spec,
  token,
  inputs,
  gpus,
  imagePath,
  thenPaths,
}: LaunchContent): string {
  const { command, env, binds, runtimeArgs, timeLimitMs, outputLimitBytes } = spec;
  // undefined where a task does not say them: JSON leaves them out, older digests stay what they were
  const { overlay, fakeroot, network, volumes, workdir, redirect, goOn, then } = spec;
  const what = {
    token,
    command,
    env,
    binds,
    runtimeArgs,
    timeLimitMs,
    outputLimitBytes,
    inputs,
    gpus,
    imagePath,
    overlay,
    fakeroot,
    network,
    volumes,
    workdir,
    redirect,
    goOn,
    then,
    thenPaths,
  };
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

/** One line; the environment stays out of it. */
function specJson(content: LaunchContent): string {
  const { spec, token, imagePath } = content;
  const digest = launchDigest(content);
  return `${JSON.stringify({ format: 1, digest, token, name: spec.name, image: imagePath })}\n`;
}

/** The fork calls itself singularity-ce; both read SINGULARITYENV_. */
function isSingularity({ path, version }: { path: string; version: string }): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /singularity/i.test(name) && !/apptainer/i.test(version);
}
