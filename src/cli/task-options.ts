/** The options that describe a task, shared by run, submit and script, and the task they make. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { inputOf, outputOf } from '../protocol/file-words.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';
import { type Call, usage } from './call.ts';

export interface TaskOptions {
  host?: string;
  name?: string;
  env?: string[];
  input?: string[];
  stdin?: string | undefined;
  output?: string[];
  share?: string[];
  overwrite?: boolean;
  bind?: string[];
  volume?: string[];
  workdir?: string;
  pull?: 'missing' | 'newer';
  cpus?: number;
  memory?: string;
  gpus?: number;
  require?: string[];
  partition?: string;
  account?: string;
  qos?: string;
  constraint?: string;
  nodes?: number;
  ntasksPerNode?: number;
  short?: boolean;
  fpga?: boolean;
  sbatchArg?: string[];
  time?: string;
  outputLimit?: string;
  tmpDir?: string;
  overlay?: string;
  overlaySize?: string | true;
  fakeroot?: boolean;
  network?: string;
  shell?: boolean;
  keep?: boolean;
  /** false: none, whatever the defaults say. */
  onFinish?: string | false;
  cleanup?: 'always' | 'on-success' | 'never';
  retries?: number;
  retryOn?: string[];
  acceptExit?: number[];
  runtimeArg?: string[];
  priority?: number;
  reuse?: boolean;
  after?: string[];
  tag?: string[];
  idempotencyKey?: string;
  hold?: boolean;
}

const many = (value: string, before: string[] = []): string[] => [...before, value];
const number = (value: string): number => Number(value);
const numbers = (value: string, before: number[] = []): number[] => [
  ...before,
  ...value.split(',').map(Number),
];
const words = (value: string, before: string[] = []): string[] => [...before, ...value.split(',')];

const BIND = new Option('--bind <src:dst[:ro]>', 'a directory of the host to mount').argParser(
  many,
);
const VOLUME = new Option(
  '--volume <path>',
  'a writable directory of its own, empty when it starts',
).argParser(many);

const HOST = new Option('--host <name>', 'where to run; default: the least loaded host that fits');
const INPUT = new Option(
  '--input <src[:dst]>',
  'a file or directory to bring; remote:PATH is one on the host, workflow:///ID/PATH what a task made',
).argParser(many);
const WORKDIR = new Option('--workdir <path>', 'where the command begins in the container');

/** Adds the options of a task to a command. */
export function addTaskOptions(command: Command): Command {
  return command
    .argument(
      '[image]',
      'docker://…, oras://…, library://… or a .sif on the host; default: [defaults] image',
    )
    .addOption(HOST)
    .option('--name <text>', 'a name to find it by')
    .option('--env <name=value>', 'a variable; NAME alone takes it from the environment', many)
    .addOption(INPUT)
    .option('--stdin <file>', 'a file for its stdin; - is the stdin of this command')
    .option('--output <path[:local]>', 'a file, directory or glob to fetch', many)
    .option('--share <path>', 'what stays on the host as workflow:///ID/PATH for other tasks', many)
    .option('--overwrite', 'outputs may replace existing files')
    .addOption(BIND)
    .addOption(VOLUME)
    .addOption(WORKDIR)
    .addOption(
      new Option('--pull <when>', 'newer: ask whether its image has changed').choices([
        'missing',
        'newer',
      ]),
    )
    .option('--cpus <n>', 'processors it needs', number)
    .option('--memory <size>', 'memory it needs, like 512MiB')
    .option('--gpus <n>', 'GPUs it needs for itself alone', number)
    .option('--require <tag>', 'a tag that its host must have', many)
    .option('--partition <name>', 'the partition of its job; with Slurm only, as the next eight')
    .option('--account <name>', 'the account that its job is charged to')
    .option('--qos <name>', 'the quality of service of its job')
    .option('--constraint <features>', 'features that the nodes of its job must have')
    .option('--nodes <n>', 'nodes of its job', number)
    .option('--ntasks-per-node <n>', 'processes that each node of its job has room for', number)
    .option('--short', 'it is for the partition of short tasks')
    .option('--fpga', 'it is for the partition with FPGAs')
    .option('--sbatch-arg <option>', 'a further option of sbatch: --sbatch-arg=--name=value', many)
    .option('--time <duration>', 'time limit, like 10m')
    .option('--output-limit <size>', 'most it may print to each of stdout and stderr')
    .option('--tmp-dir <path>', 'directory on the host for its /tmp')
    .option(
      '--overlay-size [size]',
      'a writable root of its own that takes so much, like 4GiB; alone: 1 GiB',
    )
    .option('--overlay <path[:ro]>', 'an overlay image or directory that is on the host')
    .option('--fakeroot', 'it is root in its container')
    .option('--network <name>', 'a network of its own, as the runtime takes it; none: none at all')
    .option('--shell', 'the command is one text for a shell of the image')
    .option('--keep', 'keep its directory on the host (--cleanup never)')
    .addOption(
      new Option('--cleanup <when>', 'when its directory on the host is removed').choices([
        'always',
        'on-success',
        'never',
      ]),
    )
    .option('--on-finish <command>', 'a command for sh here, run when it has ended for good')
    .option('--no-on-finish', 'none, whatever [defaults] on_finish says')
    .option('--retries <n>', 'more attempts when it failed', number)
    .option('--retry-on <reasons>', 'exit, interrupted, time-limit', words)
    .option('--accept-exit <codes>', 'exit codes that count as success', numbers)
    .option('--runtime-arg <word>', 'an argument for the container runtime', many)
    .option('--priority <n>', 'higher goes first', number)
    .option('--reuse', 'where one like it succeeded before, take what that made and do not run it')
    .option('--after <id>', 'a task that must succeed before this one starts', many)
    .option('--tag <name=value>', 'a tag to find it by', many)
    .option('--idempotency-key <text>', 'the same key submits only once')
    .option('--hold', 'hold it until towline release');
}

/** The task as the daemon takes it; local paths are absolute. The daemon checks the rest. @throws USAGE */
export function taskFromOptions(call: Call<TaskOptions>, verb: string): WireTaskSpec {
  const { options: o, io } = call;
  const local = (path: string): string => resolve(io.cwd, path);
  const cleanup = o.keep === true ? 'never' : o.cleanup;
  return withoutUndefined({
    name: o.name,
    host: o.host,
    image: call.args[0] ?? swallowed(o),
    pull: o.pull,
    command: commandOf(call, verb),
    env: o.env && Object.fromEntries(o.env.map((text) => envPair(text, call, verb))),
    inputs: o.input?.map((text) => inputOf(text, local)),
    outputs: o.output?.map((text) => outputOf(text, local, o.overwrite === true)),
    share: o.share,
    binds: o.bind,
    volumes: o.volume,
    workdir: o.workdir,
    cpus: o.cpus,
    memory: o.memory,
    gpus: o.gpus,
    require: o.require,
    slurm: slurmOf(o),
    time: o.time,
    outputLimit: o.outputLimit,
    tmpDir: o.tmpDir,
    ...overlayOf(o, call.args[0]),
    fakeroot: o.fakeroot,
    network: o.network,
    onFinish: o.onFinish,
    cleanup,
    retries: o.retries,
    retryOn: o.retryOn as WireTaskSpec['retryOn'],
    acceptExit: o.acceptExit,
    runtimeArgs: o.runtimeArg,
    priority: o.priority,
    reuse: o.reuse,
    after: o.after,
    held: o.hold,
    tags: o.tag && Object.fromEntries(o.tag.map((text) => pair(text, '--tag', verb))),
  });
}

/** `--overlay-size IMAGE`: the word after an option that may stand alone is the image, unless it begins like a size. */
function swallowed({ overlaySize }: TaskOptions): string | undefined {
  return typeof overlaySize === 'string' && !/^[\d.]/.test(overlaySize) ? overlaySize : undefined;
}

function slurmOf(o: TaskOptions): WireTaskSpec['slurm'] {
  const { partition, account, qos, constraint, nodes, ntasksPerNode, short, fpga } = o;
  const asked = withoutUndefined({
    ...{ partition, account, qos, constraint, nodes, ntasksPerNode, short, fpga },
    args: o.sbatchArg,
  });
  return Object.keys(asked).length === 0 ? undefined : (asked as WireTaskSpec['slurm']);
}

function overlayOf(
  o: TaskOptions,
  image: string | undefined,
): Pick<WireTaskSpec, 'overlay' | 'overlaySize'> {
  if (o.overlaySize === undefined) return o.overlay === undefined ? {} : { overlay: o.overlay };
  const alone = o.overlaySize === true || (image === undefined && swallowed(o) !== undefined);
  // both at once are for the daemon to refuse
  if (alone && o.overlay === undefined) return { overlay: true };
  const given = o.overlay === undefined ? {} : { overlay: o.overlay };
  return { ...given, overlaySize: alone ? '1GiB' : String(o.overlaySize) };
}

function commandOf(call: Call<TaskOptions>, verb: string): string | string[] {
  const words = call.cli.afterDashes;
  const example = `towline ${verb} [options] IMAGE -- CMD…`;
  if (words === undefined || words.length === 0)
    usage(verb, `the command goes after --: ${example}`);
  if (call.options.shell !== true) return words;
  if (words.length > 1) usage(verb, '--shell takes the command as one quoted text after --');
  return words[0] ?? '';
}

function envPair(text: string, call: Call<TaskOptions>, verb: string): [string, string] {
  if (text.includes('=')) return pair(text, '--env', verb);
  const value = call.io.env[text];
  if (value === undefined)
    usage(verb, `--env ${text}: not set in the environment; write ${text}=VALUE`);
  return [text, value];
}

function pair(text: string, option: string, verb: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) usage(verb, `${option} ${text}: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function withoutUndefined(spec: Record<string, unknown>): WireTaskSpec {
  const given = Object.entries(spec).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as WireTaskSpec;
}
