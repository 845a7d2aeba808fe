/**
 * run.sh: what starts the container of one attempt. The shape is fixed: environment, `exec`, working
 * directory, isolation, home, mounts, extra arguments, image, command. The supervisor starts it with
 * three open files: 3 the command's stdout, 4 its stderr, 5 the record `rc`; 1 and 2 are the runtime's
 * own log, so that its words never mix with the task's. They all pass through the runtime untouched.
 */
import { AppError } from '../domain/failure.ts';
import type { GpuGrant, StagedInputs } from '../domain/state.ts';
import type { AttemptToken, Bind, Command, Overlay, Redirect } from '../domain/task.ts';
import { outermost, volumeOf } from '../domain/volumes.ts';
import { checkLength, checkVariable, crlfVariables, isLate, LOAD_CRLF } from './environment.ts';
import { gpuFlag, jobLines } from './gpus.ts';
import { placeInputs } from './input-places.ts';
import { mountOption } from './mounts.ts';
import { overlayLines, overlayWords } from './overlay.ts';
import { quote, quoteAll } from './quote.ts';
import { directRedirect, redirectedWords } from './redirect.ts';
import { stepPlans, stepsLines } from './steps.ts';

export interface ScriptPlan {
  /** The attempt's directory on the host, absolute. */
  dir: string;
  token: AttemptToken;
  runtime: string;
  runtimeArgs: readonly string[];
  imagePath: string;
  command: Command;
  env: Readonly<Record<string, string>>;
  binds: readonly Bind[];
  volumes?: readonly string[] | undefined;
  workdir?: string | undefined;
  redirect?: Redirect | undefined;
  /** The next command runs although this one failed. */
  goOn?: boolean | undefined;
  /** Others ran before it: what stands in the volumes may be anything. */
  later?: boolean | undefined;
  /** What runs after the command, in containers of their own. */
  then?: readonly StepPlan[] | undefined;
  inputs: StagedInputs;
  gpus?: GpuGrant | undefined;
  /** A job of a scheduler runs it: what the scheduler gave it is known when it runs. */
  job?: { gpus: boolean } | undefined;
  /** Where /tmp and /var/tmp of the container are made; absent: in the attempt's directory. */
  tmpDir?: string | undefined;
  overlay?: Overlay | undefined;
  fakeroot?: boolean | undefined;
  network?: string | undefined;
  variablePrefix: 'APPTAINER' | 'SINGULARITY';
  /** The runtime knows `--no-eval`: values arrive byte-exact. */
  noEval: boolean;
  /** Shell lines of the site that make the runtime usable (`module load …`); what they print is discarded. */
  setup?: string | undefined;
  /** The host's env knows `--default-signal`. */
  defaultSignal: boolean;
}

/** What a further command has of its own. */
export type StepPlan = Pick<ScriptPlan, 'imagePath' | 'command' | 'env'> & {
  [Own in 'workdir' | 'redirect' | 'goOn']: ScriptPlan[Own];
};

const TASK = '/mnt/task';
const WORK = `${TASK}/work`;
/** Where the task has a volume over it the home is elsewhere. */
const HOMES = [`${TASK}/home`, '/mnt/home'] as const;
/** Texts of ours run under 077; the command makes files as the account is used to. */
const OWN_UMASK = '[ -z "${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"';
const COMMAND_FILE = '/mnt/task/command';
/** Run by /bin/sh of the image: tells that it began, runs the words with the task's streams, leaves their code. */
const RUN_WORDS =
  'echo started >&5; trap : HUP INT TERM; (exec "$@") >&3 2>&4 3>&- 4>&- 5>&-; c=$?; echo "$c" >&5; exit "$c"';
/** For a text without a chosen shell: bash where the image has it. */
const CHOOSE_SHELL = 'command -v bash >/dev/null 2>&1 && set -- bash "$@" || set -- sh "$@"; ';

/**
 * Gives run.sh of an attempt. `sh run.sh` by hand does the same on the terminal. With the argument
 * `direct` it runs an argv command without any shell in the image.
 * @throws TASK_INVALID naming the field that cannot be carried.
 */
export function taskScript(plan: ScriptPlan): string {
  return [
    '#!/bin/sh',
    `# Towline task script, format 1: attempt ${plan.token}. Starts the container; "sh run.sh" works by hand.`,
    '# shellcheck disable=SC2016,SC1003 # words for the container are not for this shell to expand',
    'mode=$1',
    `cd ${quote(plan.dir)} || exit 125`,
    '{ true >&3; } 2>/dev/null || exec 3>&1',
    '{ true >&4; } 2>/dev/null || exec 4>&2',
    '{ true >&5; } 2>/dev/null || exec 5>/dev/null',
    OWN_UMASK,
    ...setupLines(plan.setup),
    ...scratchLines(plan),
    ...overlayLines(plan),
    ...(plan.then === undefined ? commandLines(plan) : severalLines(plan)),
    '',
  ].join('\n');
}

function severalLines(plan: ScriptPlan): string[] {
  const steps = stepPlans(plan);
  return stepsLines(steps.map((step) => ({ lines: commandLines(step), goOn: step.goOn === true })));
}

/** The lines that become the container of one command. */
function commandLines(plan: ScriptPlan): string[] {
  return [...containerLines(plan), ...directLines(plan), startLine(plan, wrapped(plan))];
}

/** Gives the lines that set the environment of the container and put all words of the runtime but itself and the command into "$@". */
export function containerLines(plan: ScriptPlan): string[] {
  return [
    ...environmentLines(plan),
    ...jobLines(plan.job, plan.variablePrefix),
    `set -- ${execWords(plan).join(' \\\n  ')}`,
  ];
}

/** Gives where the paths of the container are on the host, in the order in which they are mounted. */
export function taskBinds(
  plan: Pick<ScriptPlan, 'dir' | 'token' | 'tmpDir' | 'command' | 'inputs' | 'binds' | 'volumes'>,
): Bind[] {
  return [...taskMounts(plan), ...volumeMounts(plan), ...inputMounts(plan), ...plan.binds];
}

/** Gives the file `command` of an attempt: the text itself, or the argv as one line to read. */
export function commandText(command: Command): string {
  return command.kind === 'text' ? command.text : `${quoteAll(command.argv)}\n`;
}

/** Gives the directory below a task's own tmp_dir that belongs to one attempt. */
export function scratchDir(tmpDir: string, token: AttemptToken): string {
  return `${tmpDir.replace(/\/+$/, '')}/towline-${token}`;
}

/** Gives the lines that run a site's setup with its output discarded; it may fail and print as it likes. */
export function setupLines(setup: string | undefined): string[] {
  return setup === undefined || setup.trim() === ''
    ? []
    : [`eval ${quote(setup)} >/dev/null 2>&1 </dev/null`];
}

/** The name is written down for the cleaning; a directory somebody else made there is not used. */
function scratchLines(plan: ScriptPlan): string[] {
  if (plan.tmpDir === undefined) return [];
  const dir = quote(scratchDir(plan.tmpDir, plan.token));
  return [
    `(umask 077; printf '%s\\n' ${dir} >scratch)`,
    `mkdir -m 700 ${dir} ${dir}/tmp ${dir}/vartmp 2>/dev/null || [ -O ${dir} ] || exit 125`,
  ];
}

function environmentLines(plan: ScriptPlan): string[] {
  const task = plan.token.slice(0, plan.token.lastIndexOf('.'));
  const marks = { ...crlfVariables(plan.env), TOWLINE_TASK: task, TOWLINE_ATTEMPT: plan.token };
  for (const [name, value] of Object.entries(plan.env)) {
    checkVariable(name, value, plan.noEval);
    checkLength(`env.${name}`, `${plan.variablePrefix}ENV_${name}=${value}`);
  }
  const early = Object.entries({ ...plan.env, ...marks }).filter(([name]) => !isLate(name));
  return early.map(([name, value]) => `export ${plan.variablePrefix}ENV_${name}=${quote(value)}`);
}

/** All words from `exec` to the image. One option a line. */
function execWords(plan: ScriptPlan): string[] {
  const mounts = taskBinds(plan).map((bind) => `--mount ${quote(mountOption(bind))}`);
  // `--home` splits at colons; relative to the directory changed to above, none of ours is in it.
  const home = `${plan.dir.includes(':') ? '.' : plan.dir}/home:${homeOf(plan)}`;
  return [
    `exec --pwd ${quote(plan.workdir ?? WORK)}`,
    `--containall --cleanenv${plan.noEval ? ' --no-eval' : ''}`,
    `--home ${quote(home)}`,
    ...mounts,
    ...(plan.job?.gpus === true ? ['"$gpu"'] : gpuFlag(plan.gpus)),
    ...overlayWords(plan.overlay),
    ...(plan.fakeroot === true ? ['--fakeroot'] : []),
    ...(plan.network === undefined ? [] : [`--net --network ${quote(plan.network)}`]),
    ...plan.runtimeArgs.map(quote),
    quote(plan.imagePath),
  ];
}

/** Gives where the home of the task is in its container. */
export function homeOf({ volumes = [] }: Pick<ScriptPlan, 'volumes'>): string {
  return volumeOf(volumes, HOMES[0]) === undefined ? HOMES[0] : HOMES[1];
}

function volumeMounts({ dir, volumes = [] }: Pick<ScriptPlan, 'dir' | 'volumes'>): Bind[] {
  return outermost(volumes).map(({ target, place }) => {
    return { source: `${dir}/${place}`, target, readonly: false };
  });
}

/** A volume over one of them stands in its place. */
function taskMounts(
  plan: Pick<ScriptPlan, 'dir' | 'token' | 'tmpDir' | 'command' | 'volumes'>,
): Bind[] {
  const { volumes = [] } = plan;
  return ownMounts(plan).filter(({ target }) => volumeOf(volumes, target) === undefined);
}

function ownMounts(plan: Pick<ScriptPlan, 'dir' | 'token' | 'tmpDir' | 'command'>): Bind[] {
  const scratch = plan.tmpDir === undefined ? plan.dir : scratchDir(plan.tmpDir, plan.token);
  const mounts = [
    { source: `${plan.dir}/work`, target: WORK, readonly: false },
    { source: `${scratch}/tmp`, target: '/tmp', readonly: false },
    { source: `${scratch}/vartmp`, target: '/var/tmp', readonly: false },
  ];
  if (plan.command.kind === 'argv') return mounts;
  return [...mounts, { source: `${plan.dir}/command`, target: COMMAND_FILE, readonly: true }];
}

function inputMounts(plan: Pick<ScriptPlan, 'dir' | 'inputs' | 'volumes'>): Bind[] {
  return placeInputs(plan.inputs.files, plan.volumes).mounts.map((mount) => ({
    ...mount,
    source: mount.source.startsWith('/') ? mount.source : `${plan.dir}/${mount.source}`,
  }));
}

/**
 * An image without /bin/sh: an argv command can still run; its code and stderr are then the runtime's,
 * too. A text cannot, nor can a value that the shell of the image would have to mend.
 */
function directLines(plan: ScriptPlan): string[] {
  const { command, redirect, later } = plan;
  const can = command.kind === 'argv' && !needsMending(plan) && !(later && redirect !== undefined);
  const words = can ? checkedArgv(command.argv).map(quote) : [];
  const act = [
    '  set -- --silent "$@"',
    // the files are opened from outside: what is there already, an input, is not written over
    ...(redirect === undefined ? [] : ['  set -C']),
    `  ${startLine(plan, words)}${directRedirect(plan)} 3>&- 4>&- 5>&-`,
  ];
  const cannot = ['  echo noshell >&5; exit 126'];
  return ['if [ "$mode" = direct ]; then', ...(can ? act : cannot), 'fi'];
}

function wrapped(plan: ScriptPlan): string[] {
  const { command } = plan;
  const mend = needsMending(plan) ? LOAD_CRLF : '';
  const runWords = plan.redirect === undefined ? RUN_WORDS : redirectedWords(plan.redirect);
  const run = (text: string) => ['/bin/sh', '-c', quote(mend + text), 'sh'];
  if (command.kind === 'argv') return [...run(runWords), ...checkedArgv(command.argv).map(quote)];
  if (command.shell === undefined) return [...run(CHOOSE_SHELL + runWords), COMMAND_FILE];
  return [...run(runWords), quote(command.shell), COMMAND_FILE];
}

function needsMending(plan: ScriptPlan): boolean {
  return Object.keys(crlfVariables(plan.env)).length > 0;
}

/** Background children of a shell ignore INT and QUIT; the payload must not. */
function startLine(plan: ScriptPlan, words: string[]): string {
  const reset = plan.defaultSignal ? 'env --default-signal=INT,QUIT ' : '';
  return `exec ${reset}${quote(plan.runtime)} "$@" ${words.join(' ')}`;
}

function checkedArgv(argv: readonly string[]): readonly string[] {
  if (argv.length === 0 || argv[0] === '') {
    throw new AppError('TASK_INVALID', 'command: there is no program to run');
  }
  for (const [index, word] of argv.entries()) checkLength(`command[${index}]`, word);
  return argv;
}
