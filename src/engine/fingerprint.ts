/** What makes a task do the same as another one: what is run, on what, with what image. Pure. */
import { createHash } from 'node:crypto';
import type { ReadyImage, StagedFile, StagedInputs } from '../domain/state.ts';
import { destinationOf, type TaskSpec } from '../domain/task.ts';

export interface Fingerprinted {
  spec: TaskSpec;
  inputs: StagedInputs;
  image: ReadyImage;
  host: string;
}

/**
 * Gives a hash of it. What only limits, names or places a task has no part in it; undefined for an image of which
 * nobody knows whether it is the same.
 */
export function fingerprintOf({ spec, inputs, image, host }: Fingerprinted): string | undefined {
  const content = image.digest ?? image.sha256;
  if (content === undefined) return undefined;
  const { command, env, binds, gpus, overlay, fakeroot, network, runtimeArgs } = spec;
  const { outputs, share, acceptExit, volumes, workdir, redirect, goOn, then } = spec;
  const files = inputs.files.map(fileOf).sort();
  // what is on a host is as it is there
  const isOfHost = binds.length > 0 || inputs.files.some(({ kind }) => kind === 'remote');
  const what = {
    format: 1,
    image: content,
    command,
    env: Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)),
    files,
    stdin: inputs.stdin,
    binds,
    host: isOfHost ? host : undefined,
    overlay,
    ...{
      gpus,
      fakeroot,
      network,
      runtimeArgs,
      acceptExit,
      share,
      volumes,
      workdir,
      redirect,
      goOn,
      then,
    },
    thenImages: image.then?.map(({ digest, sha256, reference }) => digest ?? sha256 ?? reference),
    outputs: outputs.map((output) => [output.pattern, destinationOf(output)]),
  };
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

function fileOf(file: StagedFile): string {
  switch (file.kind) {
    case 'object':
      return JSON.stringify([file.target, file.sha256, file.mode]);
    case 'directory':
      return JSON.stringify([file.target]);
    case 'remote':
      return JSON.stringify([file.target, file.path]);
  }
}
