/** A TES task as a task of Towline. Pure: which paths of the submit host may be used is in api/tes/local-files.ts. */
import { AppError } from '../../domain/failure.ts';
import { parseS3Address } from '../../domain/s3-address.ts';
import type { Input, InputSource, Output, Redirect, Step, TaskSpec } from '../../domain/task.ts';
import { NAME_CHARS_MAX } from '../limits.ts';
import type { SpecDefaults } from '../parse-spec.ts';
import { isAbsoluteClean } from '../text-rules.ts';
import { readBackend } from './backend.ts';
import { addressOf } from './files.ts';
import type {
  TesDocument,
  TesExecutor,
  TesInput,
  TesOutput,
  TesResources,
  TesTask,
} from './schema.ts';
import { volumesOf } from './volumes.ts';
import { hasWildcard, patternOf } from './wildcards.ts';

const GB = 1_000_000_000;

/**
 * Gives the task that is meant, and the document as it is kept.
 * @throws TASK_INVALID naming the field
 */
export function toSpec(
  task: TesTask,
  { defaults, zone }: { defaults: SpecDefaults; zone: ZoneOf },
): { spec: TaskSpec; document: TesDocument } {
  const { asked, known, warnings } = readBackend(task.resources);
  const { executors, resources = {} } = task;
  const [first, ...others] = executors;
  if (first === undefined) throw new Error('the schema lets no task through without an executor');
  const placed = zone(resources.zones ?? []);
  const spec: TaskSpec = {
    name: nameOf(task),
    ...commandsOf(first, others),
    inputs: (task.inputs ?? []).map((input, index) => inputOf(input, `inputs[${index}]`)),
    outputs: (task.outputs ?? []).map((output, index) => outputOf(output, `outputs[${index}]`)),
    binds: [],
    volumes: volumesOf(task),
    cpus: resources.cpu_cores || undefined,
    memoryBytes: resources.ram_gb ? Math.max(4096, Math.ceil(resources.ram_gb * GB)) : undefined,
    outputLimitBytes: defaults.outputLimitBytes,
    timeLimitMs: defaults.timeLimitMs,
    onFinish: defaults.onFinish,
    cleanup: defaults.cleanup ?? 'on-success',
    retries: 0,
    retryOn: [],
    runtimeArgs: [],
    held: false,
    ...placed.asked,
    ...asked,
    host: asked.host ?? placed.asked.host ?? defaults.host,
    tags: task.tags ?? {},
  };
  return {
    spec,
    document: {
      task: {
        ...task,
        ...(task.resources !== undefined && { resources: withKnown(resources, known) }),
      },
      warnings: [...warnings, ...placed.warnings],
    },
  };
}

/** What the zones of a task mean here. */
export type ZoneOf = (zones: readonly string[]) => {
  asked: Pick<TaskSpec, 'host' | 'require'>;
  warnings: string[];
};

function withKnown(resources: TesResources, known: Record<string, string>): TesResources {
  const { backend_parameters, ...rest } = resources;
  const isNone = backend_parameters === undefined || Object.keys(known).length === 0;
  return isNone ? rest : { ...rest, backend_parameters: known };
}

type Commands = Pick<
  TaskSpec,
  'images' | 'command' | 'env' | 'workdir' | 'redirect' | 'goOn' | 'then' | 'acceptExit'
>;

/** One that is alone and may fail has any code. */
function commandsOf(first: TesExecutor, others: readonly TesExecutor[]): Commands {
  const { image, argv, ...rest } = stepOf(first, 0);
  const alone = others.length === 0;
  const anyCode = alone && rest.goOn === true;
  return {
    ...rest,
    images: [image],
    command: { kind: 'argv', argv },
    then: alone ? undefined : others.map((executor, index) => stepOf(executor, index + 1)),
    acceptExit: anyCode ? Array.from({ length: 256 }, (_, code) => code) : [0],
  };
}

function stepOf(executor: TesExecutor, index: number): Step {
  const { image, command, env = {}, workdir, stdin, stdout, stderr, ignore_error } = executor;
  if (command[0] === '') refuse(`executors[${index}].command`, 'has no program');
  const redirect: Redirect = {
    ...(stdin !== undefined && { stdin }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
  };
  return {
    image,
    argv: command,
    env,
    workdir,
    redirect: Object.keys(redirect).length > 0 ? redirect : undefined,
    ...(ignore_error === true && { goOn: true as const }),
  };
}

function inputOf(input: TesInput, field: string): Input {
  return { source: sourceOf(input, field), target: input.path };
}

/** Content that is not empty goes before an address. */
function sourceOf({ content, url, type }: TesInput, field: string): InputSource {
  if (content || url === undefined || url === '') {
    if (content === undefined) refuse(field, 'needs a url or content');
    if (type === 'DIRECTORY') refuse(`${field}.type`, 'cannot be DIRECTORY for content');
    return { kind: 'content', base64: Buffer.from(content).toString('base64') };
  }
  const address = addressOf(url);
  if (address.kind !== 'path') return { kind: 'url', url, directory: type === 'DIRECTORY' };
  const path = plainPath(address.path, `${field}.url`);
  return { kind: type === 'DIRECTORY' ? 'directory' : 'file', path };
}

function outputOf(output: TesOutput, field: string): Output {
  const { path, path_prefix: prefix, url } = output;
  const wild = hasWildcard(path);
  if (wild && !prefix) refuse(`${field}.path_prefix`, 'is needed where the path has wildcards');
  return {
    pattern: patternOf(path),
    ...targetOf(url, `${field}.url`),
    overwrite: true,
    ...(wild && { prefix, optional: true as const }),
  };
}

function targetOf(url: string, field: string): { local: string } | { url: string } {
  const address = addressOf(url);
  if (address.kind === 'path') return { local: plainPath(address.path, field) };
  if (address.scheme !== 's3') {
    refuse(field, `the storage ${address.scheme}: is not supported for outputs`);
  }
  const object = parseS3Address(url);
  if ('problem' in object) refuse(field, `cannot be used: ${object.problem}`);
  return { url: `s3://${[object.bucket, object.key].filter(Boolean).join('/')}` };
}

function plainPath(path: string, field: string): string {
  const plain = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  if (!isAbsoluteClean(plain) || plain === '/')
    refuse(field, 'must be an absolute path, without ..');
  return plain;
}

/** For people; the document keeps it as it is. */
function nameOf({ name = '' }: TesTask): string | undefined {
  const plain = name.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return plain.slice(0, NAME_CHARS_MAX).toWellFormed() || undefined;
}

function refuse(field: string, why: string): never {
  throw new AppError('TASK_INVALID', `${field} ${why}`, { context: { field } });
}
