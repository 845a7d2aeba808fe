/**
 * What goes into a task and what comes out of it: inputs, stdin, outputs, binds. Local paths are
 * absolute; no name climbs with `..`.
 */
import { AppError } from '../domain/failure.ts';
import type { Bind, Input, InputSource, Output } from '../domain/task.ts';
import { volumeOf } from '../domain/volumes.ts';
import { INPUTS_DIR, WORK_DIR, workPattern } from './container-dirs.ts';
import { fieldName } from './explain.ts';
import {
  defaultTarget,
  inBind,
  isReference,
  parseReference,
  splitReference,
} from './references.ts';
import type { WireTaskSpec } from './spec-schema.ts';
import { baseName, hasDots, isAbsoluteClean, isHostPath, splitColons } from './text-rules.ts';

type WireInput = NonNullable<WireTaskSpec['inputs']>[number];
type WireSource = Exclude<NonNullable<WireTaskSpec['stdin']>, string>;
type WireOutput = NonNullable<WireTaskSpec['outputs']>[number];
type WireBind = NonNullable<WireTaskSpec['binds']>[number];

/** Container paths that are the task's own or the kernel's. */
export const TAKEN = [
  '/',
  '/mnt',
  '/mnt/task',
  WORK_DIR,
  '/mnt/task/command',
  INPUTS_DIR,
  '/proc',
  '/sys',
  '/dev',
];

/** @throws TASK_INVALID naming the field */
export function parseInputs(inputs: WireInput[], where: string): Input[] {
  const seen = new Map<string, number>();
  return inputs.map((wire, index) => {
    const field = fieldName(['inputs', index], where);
    const input =
      typeof wire === 'string' ? inputFromText(wire, field) : inputFromObject(wire, field);
    const target = containerTarget(input.target, `${field}.target`);
    const first = seen.get(target);
    if (first !== undefined) refuse(`${field}.target`, `is the same as that of inputs[${first}]`);
    seen.set(target, index);
    return { source: input.source, target };
  });
}

function inputFromText(text: string, field: string): Input {
  const [path = '', target] = isReference(text) ? splitReference(text, 2) : splitColons(text, 2);
  const source = localSource(path, field);
  return { source, target: target === undefined || target === '' ? targetOf(source) : target };
}

function inputFromObject(wire: Exclude<WireInput, string>, field: string): Input {
  const source = sourceFromObject(wire, field);
  if (wire.target === undefined && source.kind === 'content') {
    refuse(`${field}.target`, 'is missing: inline content needs a name');
  }
  return { source, target: wire.target ?? targetOf(source) };
}

function targetOf(source: InputSource): string {
  if (source.kind === 'output') return defaultTarget(source);
  return 'path' in source ? baseName(source.path) : '';
}

/** @throws TASK_INVALID naming the field */
export function parseStdin(wire: string | WireSource, where: string): InputSource {
  const field = fieldName(['stdin'], where);
  const source =
    typeof wire === 'string' ? localSource(wire, field) : sourceFromObject(wire, field);
  if (source.kind === 'directory') refuse(field, 'must be a file');
  return source;
}

function sourceFromObject(wire: WireSource, field: string): InputSource {
  const given = (['path', 'content', 'contentBase64', 'remote'] as const).filter(
    (key) => wire[key] !== undefined,
  );
  if (given.length !== 1) {
    refuse(field, 'must have exactly one of path, content, contentBase64, remote');
  }
  if (wire.path !== undefined) return localSource(wire.path, `${field}.path`);
  if (wire.content !== undefined) {
    return { kind: 'content', base64: Buffer.from(wire.content).toString('base64') };
  }
  if (wire.contentBase64 !== undefined) return { kind: 'content', base64: wire.contentBase64 };
  const remote = wire.remote ?? '';
  if (!isAbsoluteClean(remote)) refuse(`${field}.remote`, 'must be an absolute path on the host');
  return { kind: 'remote', path: remote };
}

/** A trailing slash says directory; without one the daemon looks when it takes the task. */
function localSource(path: string, field: string): InputSource {
  if (isReference(path)) return parseReference(path, field);
  if (!isAbsoluteClean(path))
    refuse(field, 'must be an absolute path on the submit host, without ..');
  if (path === '/') refuse(field, 'is the whole file system');
  return path.endsWith('/')
    ? { kind: 'directory', path: path.replace(/\/+$/, '') }
    : { kind: 'file', path };
}

/** Relative to the inputs directory, or absolute in the container; one spelling for one place. */
function containerTarget(target: string, field: string): string {
  const clean = target.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  if (clean === '' || hasDots(clean)) refuse(field, 'must name a path, without . and ..');
  const relative = clean.startsWith(`${INPUTS_DIR}/`) ? clean.slice(INPUTS_DIR.length + 1) : clean;
  if (TAKEN.includes(relative)) refuse(field, `${relative} is taken`);
  return relative;
}

/** Below the work directory, or in one of the volumes. @throws TASK_INVALID naming the field */
export function parseOutputs(
  outputs: WireOutput[],
  volumes: readonly string[],
  where: string,
): Output[] {
  return outputs.map((wire, index) => {
    const field = fieldName(['outputs', index], where);
    const { path, local, overwrite } = typeof wire === 'string' ? outputFromText(wire) : wire;
    if (local === undefined || !isAbsoluteClean(local)) {
      refuse(`${field}.local`, 'must be an absolute path on the submit host, without ..');
    }
    const inVolume = isAbsoluteClean(path) && volumeOf(volumes, path) !== undefined;
    const pattern = inVolume ? path.replace(/\/+$/, '') : workPattern(path, `${field}.path`);
    return { pattern, local, overwrite: overwrite ?? false };
  });
}

function outputFromText(text: string): { path: string; local?: string; overwrite?: boolean } {
  const [path = '', local] = splitColons(text, 2);
  return local === undefined ? { path } : { path, local };
}

/** Binds of the host; those of what another task has made are inputs. @throws TASK_INVALID naming the field */
export function parseBinds(wires: WireBind[], where: string): { binds: Bind[]; inputs: Input[] } {
  const found: { binds: Bind[]; inputs: Input[] } = { binds: [], inputs: [] };
  for (const [index, wire] of wires.entries()) {
    const field = fieldName(['binds', index], where);
    const { source, target, readonly } =
      typeof wire === 'string' ? bindFromText(wire, field) : wire;
    if (!isAbsoluteClean(target) || TAKEN.includes(target.replace(/(.)\/$/, '$1'))) {
      refuse(`${field}.target`, 'must be an absolute path in the container that is not taken');
    }
    if (isReference(source)) {
      const output = parseReference(source, `${field}.source`);
      found.inputs.push(inBind(output, { target, readonly }, field));
    } else if (isHostPath(source)) {
      found.binds.push({ source, target, readonly: readonly ?? false });
    } else {
      refuse(
        `${field}.source`,
        'must be an absolute path on the host (~, $HOME, $USER, $SCRATCH are known), without ..',
      );
    }
  }
  return found;
}

function bindFromText(text: string, field: string): Exclude<WireBind, string> {
  const pieces = isReference(text) ? splitReference(text, 3) : splitColons(text, 3);
  const [source = '', target = source, mode] = pieces;
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw') {
    refuse(field, 'must be SRC:DST, SRC:DST:ro or SRC:DST:rw');
  }
  return { source, target, readonly: mode === undefined ? undefined : mode === 'ro' };
}

function refuse(field: string, reason: string): never {
  throw new AppError('TASK_INVALID', `${field} ${reason}`, { context: { field } });
}
