/** Everything about one task on a page: what a person asks after a failure comes first. */
import type { TaskView } from '../../protocol/views.ts';
import { type Paint, stateColour } from './colour.ts';
import { lastWords } from './last-words.ts';
import { commandText, oneLine, sizeText, spanText } from './text.ts';
import { pastAttemptLines, usageText } from './usage-text.ts';

type Line = [label: string, text: string | undefined];

export interface PageOptions {
  now: number;
  paint: Paint;
}

/** The page of a task; every line that has nothing to say is left out. */
export function taskPage(task: TaskView, { now, paint }: PageOptions): string {
  const lines: Line[] = [
    ['task', task.name === undefined ? task.id : `${task.id} (${task.name})`],
    ['state', stateText(task, now)],
    ['why', task.failure && `${task.failure.code}: ${task.failure.message}`],
    ['hint', task.failure?.hint],
    ['hint', hintOfStderr(task.stderrTail)],
    ...blockedLines(task, now),
    ['waiting', task.waitingOn && `for ${task.waitingOn.join(', ')} to succeed`],
    ['exit code', exitText(task)],
    ['host', task.host ?? (task.asked.host && `${task.asked.host} (asked for)`)],
    ['gpus', task.gpus?.join(', ')],
    ...jobLines(task),
    ['image', imageText(task)],
    ['digest', task.imageDigest],
    ['command', commandText(task.command)],
    ...timeLines(task, now),
    [
      'attempt',
      task.asked.retries > 0 ? `${task.attempt} of ${task.asked.retries + 1}` : `${task.attempt}`,
    ],
    ...pastAttemptLines(task.history).map((text): Line => ['earlier', text]),
    ['used', usageText(task.usage)],
    ['stdout', streamText(task, 'stdout')],
    ['stderr', streamText(task, 'stderr')],
    ...task.asked.inputs.map((input): Line => ['input', `${input.from} -> ${input.to}`]),
    ...outputLines(task),
    ['reused', reuseText(task)],
    ...(task.logs?.paths ?? []).map((path): Line => ['log', `${task.host ?? ''}:${path}`]),
    ['remote dir', task.remoteDir && `${task.host ?? ''}:${task.remoteDir}`],
    ['cleanup', `${task.cleanup.policy}, ${CLEANUP_WORDS[task.cleanup.state]}`],
    ...onFinishLines(task),
    ['tags', tagText(task)],
  ];
  const page = lines
    .filter((line): line is [string, string] => line[1] !== undefined && line[1] !== '')
    .map(
      ([label, text]) =>
        `${label.padEnd(10)}  ${label === 'state' ? paintState(task, oneLine(text), paint) : indent(text)}\n`,
    )
    .join('');
  const words = lastWords(task);
  return words === '' ? page : `${page}\n${words}`;
}

/** What the command's own words tell of its surroundings. */
function hintOfStderr(tail = ''): string | undefined {
  if (!/read-only file system/i.test(tail)) return undefined;
  return 'the root of a container is read-only: write below /mnt/task/work or /tmp, or give it a writable root: --overlay-size 1GiB';
}

const CLEANUP_WORDS = {
  none: 'nothing to remove yet',
  pending: 'the remote directory is being removed',
  done: 'the remote directory is removed',
  kept: 'the remote directory is kept until towline gc',
} as const;

function paintState(task: TaskView, text: string, paint: Paint): string {
  return text.replace(task.state, (word) => paint(stateColour(task.state), word));
}

function stateText(task: TaskView, now: number): string {
  const ago = `${spanText(now - Date.parse(task.since))} ago`;
  const { progress } = task;
  if (progress === undefined) return `${task.state}, ${ago}`;
  const total = progress.bytesTotal === undefined ? '' : ` of ${sizeText(progress.bytesTotal)}`;
  return `${task.state}, ${ago}: ${progress.what} ${sizeText(progress.bytesDone)}${total}`;
}

function blockedLines({ blocked }: TaskView, now: number): Line[] {
  if (blocked === undefined) return [];
  const next =
    blocked.nextTryAt === undefined
      ? ''
      : `; next try in ${spanText(Date.parse(blocked.nextTryAt) - now)}`;
  return [
    ['waiting', `for ${blocked.host}: ${blocked.reason}: ${blocked.message}`],
    ['hint', blocked.hint],
    ['', `since ${spanText(now - Date.parse(blocked.since))}${next}`],
  ];
}

function exitText(task: TaskView): string | undefined {
  if (task.exitCode === undefined) return undefined;
  const limit =
    task.limit === undefined
      ? ''
      : ` (ended ${task.limit === 'job' ? 'with its job' : `at its ${task.limit} limit`})`;
  const signal =
    task.exitCode > 128 && task.exitCode < 193 ? ` (signal ${task.exitCode - 128})` : '';
  return `${task.exitCode}${limit || signal}`;
}

function jobLines({ job }: TaskView): Line[] {
  if (job === undefined) return [];
  return [
    ['job', `${job.id} (${job.name}${job.pilot ? ', a pilot' : ''}), submitted ${job.submittedAt}`],
    ['by', job.command],
    ...(job.notes ?? []).map((note): Line => ['note', note]),
  ];
}

function imageText(task: TaskView): string {
  if (task.image === undefined) return task.asked.images.join(', ');
  return task.imagePath === undefined ? task.image : `${task.image} (${task.imagePath})`;
}

function timeLines(task: TaskView, now: number): Line[] {
  const { startedAt, finishedAt } = task;
  const end = finishedAt === undefined ? now : Date.parse(finishedAt);
  const took = startedAt && ` (${spanText(end - Date.parse(startedAt))})`;
  return [
    ['submitted', task.submittedAt],
    ['started', startedAt && (finishedAt === undefined ? `${startedAt}${took}` : startedAt)],
    ['finished', finishedAt && `${finishedAt}${took ?? ''}`],
  ];
}

function streamText(task: TaskView, name: 'stdout' | 'stderr'): string {
  const { bytes, complete } = task.streams[name];
  return `${sizeText(bytes)}${complete || !task.ended ? '' : ' (not complete)'}`;
}

function reuseText({ reused, notReused }: TaskView): string | undefined {
  if (reused !== undefined) return `not run: task ${reused.task} did the same`;
  return notReused && `nothing: ${notReused}`;
}

function outputLines(task: TaskView): Line[] {
  const { shared } = task;
  const files = shared && `${shared.files} file${shared.files === 1 ? '' : 's'}`;
  return [
    ...fetchedLines(task),
    ['shared', shared && `${files} (${sizeText(shared.bytes)}) on ${shared.host}`],
  ];
}

function fetchedLines(task: TaskView): Line[] {
  if (task.outputs.length > 0) {
    return task.outputs.map((output) => ['output', `${output.local} (${sizeText(output.bytes)})`]);
  }
  return task.asked.outputs.map(({ path, local }) => [
    'output',
    `${path} -> ${local} (not fetched)`,
  ]);
}

const HOOK_WORDS = {
  waiting: 'to be run at its end',
  pending: 'to be run now',
  done: 'done',
  failed: 'failed',
  'passed-over': 'not run: it was given another attempt first',
} as const;

function onFinishLines({ onFinish }: TaskView): Line[] {
  if (onFinish === undefined) return [];
  const { command, state, ms, failure } = onFinish;
  const took = ms === undefined || state === 'passed-over' ? '' : ` after ${spanText(ms)}`;
  return [
    ['on finish', command],
    ['', `${HOOK_WORDS[state]}${took}`],
    ['why', failure && `${failure.code}: ${failure.message}`],
    ['hint', failure?.hint],
  ];
}

function tagText(task: TaskView): string {
  return Object.entries(task.tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map(oneLine)
    .join(`\n${' '.repeat(12)}`);
}
