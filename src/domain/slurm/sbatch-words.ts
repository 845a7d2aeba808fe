/**
 * What a configuration or a task may say to sbatch in words of its own, and what names are like. Only the long form
 * `--name=value` is let through: there a word can be neither the script, nor the value of another, nor two
 * options at once, and which option it is can be told without knowing all of Slurm's.
 */
import { shown } from '../shown.ts';
import { didYouMean } from '../suggest.ts';

/** Options that a launch needs as Towline gives them, and what to do instead. */
const OURS: Readonly<Record<string, string>> = {
  array: 'like tasks share an array by themselves (array = auto)',
  chdir: 'the task has a directory of its own',
  clusters: 'each cluster is a host of its own',
  container: 'the image of the task is its container',
  'container-id': 'the image of the task is its container',
  dependency: 'tasks wait for each other by --after',
  error: 'stderr is told by towline logs',
  export: 'variables are given by --env',
  'export-file': 'variables are given by --env',
  help: 'nothing would be submitted',
  hold: 'a task is held by --hold of towline itself',
  input: 'stdin is given by --stdin',
  'job-name': 'jobs are found again by their name (job_prefix begins it)',
  'no-requeue': 'it is given always',
  'open-mode': 'it is given always',
  output: 'stdout is told by towline logs',
  parsable: 'it is given always',
  requeue: 'another attempt is given by --retries',
  'test-only': 'nothing would be submitted',
  usage: 'nothing would be submitted',
  version: 'nothing would be submitted',
  wait: 'towline wait waits',
  workdir: 'the task has a directory of its own',
  wrap: 'the command of the task is what runs',
};

/** Options that may stand without a value. */
const BARE = new Set([
  ...['contiguous', 'exclusive', 'get-user-env', 'ignore-pbs', 'nice', 'no-kill', 'oom-kill-step'],
  ...['overcommit', 'oversubscribe', 'propagate', 'quiet', 'reboot', 'resv-ports', 'share'],
  ...['spread-job', 'spread-segments', 'use-min-nodes', 'verbose'],
]);

/** Options that are looked at here by name, so an abbreviation of theirs must not slip by. */
const KNOWN = [
  ...['account', 'comment', 'constraint', 'cpus-per-gpu', 'cpus-per-task', 'gpus', 'gpus-per-node'],
  ...['gpus-per-socket', 'gpus-per-task', 'gres', 'mem', 'mem-per-cpu', 'mem-per-gpu', 'nodes'],
  ...['ntasks', 'ntasks-per-node', 'partition', 'qos', 'time', 'tres-per-task'],
];

const WORD = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s;
const SHORT = /^-[A-Za-z]/;
const WORD_CHARS_MAX = 4_096;
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** The option that a word is; undefined for one that is refused. */
export function sbatchOption(word: string): { name: string; value?: string } | undefined {
  const [, name, value] = WORD.exec(word) ?? [];
  if (name === undefined) return undefined;
  return value === undefined ? { name } : { name, value };
}

/** Why a word may not be given to sbatch; undefined: it may. */
export function sbatchWordProblem(word: string): string | undefined {
  if (word.length > WORD_CHARS_MAX) return `is longer than ${WORD_CHARS_MAX} characters`;
  if (CONTROL.test(word) || !word.isWellFormed())
    return `${shown(word)} holds control characters or is not valid Unicode`;
  const option = sbatchOption(word);
  if (option === undefined) {
    const how = SHORT.test(word) ? 'write the long form, like' : 'write an option of sbatch:';
    return `${shown(word)} is not of the form --name=value; ${how} --exclude=node1`;
  }
  const { name, value } = option;
  return oursProblem(name) ?? shortProblem(name) ?? valueProblem(name, value);
}

/** sbatch takes what begins an option for the option. */
function oursProblem(name: string): string | undefined {
  const ours = Object.keys(OURS).find((option) => option.startsWith(name));
  if (ours === undefined || isKnown(name)) return undefined;
  const short = ours === name ? '' : `, which may stand for --${ours},`;
  return `--${name}${short} is not for you to set: ${OURS[ours]}`;
}

function shortProblem(name: string): string | undefined {
  if (isKnown(name)) return undefined;
  const all = [...KNOWN, ...BARE];
  const whole = all.find((option) => option.startsWith(name));
  return whole === undefined ? undefined : `--${name}: write it in full: --${whole}`;
}

function valueProblem(name: string, value: string | undefined): string | undefined {
  if (value === undefined && !BARE.has(name))
    return `--${name} has no value: write --${name}=VALUE${didYouMean(name, BARE)}`;
  return value === '' ? `--${name}= has no value` : undefined;
}

function isKnown(name: string): boolean {
  return BARE.has(name) || KNOWN.includes(name);
}

export const PARTITION =
  /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}(?:,[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}){0,15}$/;
export const ACCOUNT = /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,127}$/;
export const QOS = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/;
export const CONSTRAINT = /^[A-Za-z0-9_([][A-Za-z0-9_.:+=,&|*()[\]!-]{0,255}$/;

/** What each of them is, as an error says it. */
export const SLURM_NAMES = {
  partition: 'the name of a partition, or several by comma without blanks',
  account: 'the name of an account',
  qos: 'the name of a QOS',
  constraint: 'a constraint, like intel&gpu or [rack1|rack2]',
} as const;
