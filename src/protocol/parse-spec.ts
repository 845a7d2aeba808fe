/**
 * From a task as written to a task as meant: units, defaults and what the parts mean together.
 * Read next: parse-files.ts (inputs, outputs, binds), spec-schema.ts (the shape).
 */
import { AppError } from '../domain/failure.ts';
import type { CleanupPolicy, Command, InputSource, RetryReason, TaskSpec } from '../domain/task.ts';
import { parseDuration, parseSize } from '../domain/units.ts';
import { workPattern } from './container-dirs.ts';
import { fieldName, parseWith } from './explain.ts';
import * as limits from './limits.ts';
import { parseBinds, parseInputs, parseOutputs, parseStdin } from './parse-files.ts';
import { parseOverlay } from './parse-overlay.ts';
import { parseThen, parseVolumes, parseWorkdir } from './parse-volumes.ts';
import { inCommand, inEnv } from './references.ts';
import { TASK_FIELDS, taskSpecSchema, type WireTaskSpec } from './spec-schema.ts';
import { isHostPath } from './text-rules.ts';

/** What a task gets that does not say otherwise; from [defaults] of the configuration. */
export interface SpecDefaults {
  images?: readonly string[] | undefined;
  host?: string | undefined;
  shell?: string | undefined;
  cleanup?: CleanupPolicy | undefined;
  retries?: number | undefined;
  acceptExit?: readonly number[] | undefined;
  outputLimitBytes?: number | undefined;
  timeLimitMs?: number | undefined;
  onFinish?: string | undefined;
}

const RETRY_ON_DEFAULT: RetryReason[] = ['exit', 'interrupted'];
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Names the runtime reads for itself, or that only mean the attempt. */
const ENV_RESERVED = /^(?:APPTAINER|SINGULARITY|TOWLINE_)/;
const SHELL = /^[A-Za-z0-9_./+-]+$/;
const TAG_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Gives the task that is meant by `value`. `where` names it in messages (`tasks[3]`).
 * @throws TASK_INVALID naming the field
 */
export function parseSpec(value: unknown, defaults: SpecDefaults = {}, where = ''): TaskSpec {
  const wire = parseWith(taskSpecSchema, value, {
    code: 'TASK_INVALID',
    where,
    known: TASK_FIELDS,
  });
  const retries = wire.retries ?? defaults.retries ?? 0;
  const command = commandOf(wire, defaults, where);
  const named = namedOf(wire, { command, env: envOf(wire, value, where) }, where);
  const inputs = [...parseInputs(wire.inputs ?? [], where), ...named.inputs];
  const stdin = wire.stdin === undefined ? undefined : parseStdin(wire.stdin, where);
  const images = imagesOf(wire, defaults, where);
  const volumes = parseVolumes(wire.volumes, where);
  return {
    name: wire.name,
    host: wire.host ?? defaults.host,
    images,
    pull: wire.pull,
    command: named.command,
    env: named.env,
    workdir: parseWorkdir(wire.workdir, fieldName(['workdir'], where)),
    then: parseThen(wire.then, { images, env: named.env }, where),
    inputs,
    stdin,
    outputs: parseOutputs(wire.outputs ?? [], volumes ?? [], where),
    share: wire.share?.map((path, index) => workPattern(path, fieldName(['share', index], where))),
    binds: named.binds,
    volumes,
    cpus: wire.cpus,
    memoryBytes: sizeOf(wire.memory, fieldName(['memory'], where)),
    gpus: wire.gpus,
    require: requireOf(wire, where),
    slurm: slurmOf(wire),
    timeLimitMs: timeOf(wire.time, fieldName(['time'], where)) ?? defaults.timeLimitMs,
    outputLimitBytes:
      sizeOf(wire.outputLimit, fieldName(['outputLimit'], where)) ?? defaults.outputLimitBytes,
    tmpDir: tmpDirOf(wire, where),
    overlay: parseOverlay(wire, where),
    fakeroot: wire.fakeroot,
    network: wire.network,
    onFinish: wire.onFinish === false ? undefined : (wire.onFinish ?? defaults.onFinish),
    cleanup: wire.cleanup ?? defaults.cleanup ?? 'on-success',
    retries,
    retryOn: retries > 0 ? [...new Set(wire.retryOn ?? RETRY_ON_DEFAULT)] : [],
    acceptExit: [...new Set(wire.acceptExit ?? defaults.acceptExit ?? [0])],
    runtimeArgs: wire.runtimeArgs ?? [],
    priority: wire.priority ?? 0,
    reuse: wire.reuse,
    after: afterOf(wire, [...inputs.map(({ source }) => source), ...(stdin ? [stdin] : [])]),
    held: wire.held ?? false,
    tags: tagsOf(wire, value, where),
  };
}

/** Command, environment and binds; what they name of other tasks is among the inputs. */
function namedOf(
  wire: WireTaskSpec,
  written: Pick<TaskSpec, 'command' | 'env'>,
  where: string,
): Pick<TaskSpec, 'command' | 'env' | 'binds' | 'inputs'> {
  const { binds, inputs } = parseBinds(wire.binds ?? [], where);
  const field = (...path: string[]): string => fieldName(path, where);
  const command = inCommand(written.command, { inputs }, field('command'));
  const env = inEnv(written.env, { inputs }, (name) => field('env', name));
  return { binds, inputs, command, env };
}

/** Whose outputs it takes it waits for. */
function afterOf(wire: WireTaskSpec, sources: readonly InputSource[]): string[] | undefined {
  const named = sources.flatMap((source) => (source.kind === 'output' ? [source.task] : []));
  const after = [...new Set([...(wire.after ?? []), ...named])];
  return after.length > 0 ? after : undefined;
}

function refuse(field: string, reason: string): never {
  const gap = reason.startsWith(':') ? '' : ' ';
  throw new AppError('TASK_INVALID', `${field}${gap}${reason}`, { context: { field } });
}

function imagesOf(wire: WireTaskSpec, defaults: SpecDefaults, where: string): string[] {
  const asked = typeof wire.image === 'string' ? [wire.image] : wire.image;
  const images = asked ?? [...(defaults.images ?? [])];
  if (images.length === 0) {
    refuse(fieldName(['image'], where), 'is missing and [defaults] image is not set');
  }
  return images;
}

function commandOf(wire: WireTaskSpec, defaults: SpecDefaults, where: string): Command {
  if (typeof wire.command === 'string') {
    const shell = wire.shell ?? defaults.shell;
    if (shell === undefined) return { kind: 'text', text: wire.command };
    if (!SHELL.test(shell)) {
      refuse(fieldName(['shell'], where), 'must be the name or path of a shell in the image');
    }
    return { kind: 'text', text: wire.command, shell };
  }
  if (wire.shell !== undefined) {
    refuse(fieldName(['shell'], where), 'is only for a command given as one text');
  }
  if (wire.command[0] === '') refuse(fieldName(['command', 0], where), 'is empty');
  return { kind: 'argv', argv: wire.command };
}

function envOf(wire: WireTaskSpec, value: unknown, where: string): Record<string, string> {
  const names = ownNames(value, 'env');
  const field = (name: string) => fieldName(['env', name], where);
  if (names.length > limits.ENV_NAMES_MAX) {
    refuse(fieldName(['env'], where), `has more than ${limits.ENV_NAMES_MAX} names`);
  }
  for (const name of names) {
    if (!ENV_NAME.test(name) || name === '__proto__' || name.length > limits.ENV_NAME_CHARS_MAX) {
      refuse(field(name), 'is not the name of a variable');
    }
    if (ENV_RESERVED.test(name)) refuse(field(name), 'is reserved for the runtime');
    if (name === 'HOME') refuse(field(name), 'cannot be set: each attempt has its own home');
  }
  return { ...wire.env };
}

function tagsOf(wire: WireTaskSpec, value: unknown, where: string): Record<string, string> {
  const names = ownNames(value, 'tags');
  if (names.length > limits.TAGS_MAX) {
    refuse(fieldName(['tags'], where), `has more than ${limits.TAGS_MAX} names`);
  }
  for (const name of names) {
    if (!TAG_NAME.test(name) || name === '__proto__') {
      refuse(
        fieldName(['tags', name], where),
        'may only have letters, digits, dot, dash, underscore',
      );
    }
  }
  return { ...wire.tags };
}

function requireOf(wire: WireTaskSpec, where: string): string[] | undefined {
  const wrong = wire.require?.findIndex((tag) => !TAG_NAME.test(tag)) ?? -1;
  if (wrong >= 0) {
    refuse(fieldName(['require', wrong], where), 'is not the tag of a host, like fast or a100');
  }
  return wire.require === undefined ? undefined : [...new Set(wire.require)];
}

/** Nothing asked is nothing said: such a task goes to any kind of host. */
function slurmOf({ slurm }: WireTaskSpec): TaskSpec['slurm'] {
  const { args = [], short, fpga, ...rest } = slurm ?? {};
  const asked = {
    ...rest,
    ...(short === true && { short }),
    ...(fpga === true && { fpga }),
    ...(args.length > 0 && { args }),
  };
  return Object.values(asked).some((value) => value !== undefined) ? asked : undefined;
}

/** The names as sent: the schema drops `__proto__` silently, we do not. */
function ownNames(value: unknown, key: string): string[] {
  const map = (value as Record<string, unknown>)[key];
  return typeof map === 'object' && map !== null ? Object.keys(map) : [];
}

function sizeOf(value: string | number | undefined, field: string): number | undefined {
  if (value === undefined) return undefined;
  const parsed = typeof value === 'number' ? { value } : parseSize(value);
  if ('problem' in parsed) refuse(field, `: ${parsed.problem}`);
  const bytes = parsed.value;
  if (!Number.isSafeInteger(bytes)) refuse(field, 'must be a whole number of bytes');
  if (bytes < 4096) refuse(field, `of ${bytes} bytes is too small; write a unit, like "512MiB"`);
  return bytes;
}

function timeOf(value: string | number | undefined, field: string): number | undefined {
  if (value === undefined) return undefined;
  const parsed = typeof value === 'number' ? { value } : parseDuration(value);
  if ('problem' in parsed) refuse(field, `: ${parsed.problem}`);
  const ms = parsed.value;
  if (!Number.isSafeInteger(ms)) refuse(field, 'must be a whole number of milliseconds');
  if (ms <= 0 || ms > limits.TIME_LIMIT_MS_MAX) refuse(field, 'must be between 1 ms and 365 days');
  return ms;
}

function tmpDirOf(wire: WireTaskSpec, where: string): string | undefined {
  if (wire.tmpDir !== undefined && !isHostPath(wire.tmpDir)) {
    refuse(
      fieldName(['tmpDir'], where),
      'must be an absolute path on the host (~, $HOME, $USER, $SCRATCH are known), without ..',
    );
  }
  return wire.tmpDir;
}
