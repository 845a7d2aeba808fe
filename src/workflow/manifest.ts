/**
 * Workflow files. What comes in: the text of a file, values for its parameters. What goes out: the tasks
 * to submit, or all problems at once with line and column; the graph. Never here: files, the daemon, a
 * clock. Read next: read.ts, shape.ts, expand.ts, graph.ts.
 */
import { findCircles } from '../domain/circles.ts';
import { didYouMean } from '../domain/suggest.ts';
import type { Path, Problem } from './problem.ts';
import { type Doubts, rescue } from './rescue.ts';
import { PARAMETER_NAME, type Parameter, type Scalar, TASK_NAME } from './shape.ts';
import { readSource, type Source } from './source.ts';

export interface Manifest {
  name: string;
  defaults: Readonly<Record<string, unknown>>;
  /** null: it has to be given. */
  parameters: ReadonlyMap<string, Parameter>;
  tasks: ReadonlyMap<string, ManifestTask>;
  /** Knows where everything stands. */
  source: Source;
  doubts: Doubts;
}

export interface ManifestTask {
  fields: Readonly<Record<string, unknown>>;
  after: readonly string[];
  scatter?: { over: string | Scalar[]; as: string } | undefined;
}

/** A task submitted before can be named by its id. */
const TASK_ID = /^[a-z][a-z0-9]{11}$/;

export interface Parsed {
  /** What could be read, undefined when that is too little. Not to be run with any problem. */
  manifest: Manifest | undefined;
  problems: Problem[];
}

/** The file as it is meant, before parameters are put in, and all that is wrong with it. */
export function parseManifest(text: string): Parsed {
  const read = readSource(text);
  if ('problems' in read) return { manifest: undefined, problems: read.problems };
  const { source } = read;
  const { shape, doubts, wrong } = rescue(source.value ?? {});
  const problems = wrong.map(({ path, text: what }) =>
    source.problem(path, `${nameOf(path)} ${what}`, 'key'),
  );
  if (shape === undefined) return { manifest: undefined, problems };
  const { name, defaults = {}, parameters = {}, tasks } = shape;
  const manifest: Manifest = {
    name,
    defaults,
    parameters: new Map(Object.entries(parameters)),
    tasks: linked(new Map(Object.entries(tasks as Record<string, RawTask>).map(taskOf)), defaults),
    source,
    doubts,
  };
  problems.push(...wrongNames(manifest), ...wrongLinks(manifest), ...wrongReferences(manifest));
  return { manifest, problems };
}

type RawTask = Record<string, unknown> & {
  after?: string[];
  scatter?: { over: string | Scalar[]; as: string };
};

function taskOf([name, { after = [], scatter, ...fields }]: [string, RawTask]): [
  string,
  ManifestTask,
] {
  return [name, { fields, after, scatter }];
}

/** With those that each takes something of; what is no task of the file is told by the check. */
function linked(
  tasks: Map<string, ManifestTask>,
  defaults: Readonly<Record<string, unknown>>,
): Map<string, ManifestTask> {
  const withTaken = ([name, task]: [string, ManifestTask]): [string, ManifestTask] => {
    const taken = takenBy({ ...defaults, ...task.fields }).map((one) => one.task);
    const known = taken.filter((other) => tasks.has(other));
    return [name, { ...task, after: [...new Set([...task.after, ...known])] }];
  };
  return new Map([...tasks].map(withTaken));
}

/** `task align, inputs[0].target`; the file itself has no name. */
export function nameOf(path: Path): string {
  if (path.length === 0) return 'the file';
  const [first, second, ...rest] = path;
  if (first !== 'tasks' || second === undefined) return dotted(path);
  return rest.length === 0 ? `task ${second}` : `task ${second}: ${dotted(rest)}`;
}

function dotted(path: Path): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`));
  return parts.join('').replace(/^\./, '');
}

function wrongNames({ tasks, parameters, source }: Manifest): Problem[] {
  if (tasks.size === 0)
    return [source.problem(['tasks'], 'tasks is empty; write NAME: {…}', 'key')];
  const wrongTasks = [...tasks.keys()]
    .filter((name) => !TASK_NAME.test(name))
    .map((name) => wrongName(source, ['tasks', name]));
  const wrongParameters = [...parameters.keys()]
    .filter((name) => !PARAMETER_NAME.test(name))
    .map((name) => wrongName(source, ['parameters', name]));
  const taken = [...tasks].flatMap(([name, { scatter }]) =>
    scatter !== undefined && parameters.has(scatter.as)
      ? [
          source.problem(
            ['tasks', name, 'scatter', 'as'],
            `task ${name}: scatter.as: ${scatter.as} is a parameter too; choose another name`,
          ),
        ]
      : [],
  );
  return [...wrongTasks, ...wrongParameters, ...taken];
}

function wrongName(source: Source, path: Path): Problem {
  const what = `${JSON.stringify(path.at(-1))} is no name; use letters, digits, - and _, a letter first`;
  return source.problem(path, what, 'key');
}

function wrongLinks({ tasks, source }: Manifest): Problem[] {
  const unknown = [...tasks].flatMap(([name, { after }]) =>
    after.flatMap((other, index) =>
      tasks.has(other)
        ? []
        : [
            source.problem(
              ['tasks', name, 'after', index],
              `task ${name}: after: no task ${JSON.stringify(other)} in this file${didYouMean(other, tasks.keys())}`,
            ),
          ],
    ),
  );
  const circles = findCircles(tasks).map((way) =>
    source.problem(
      ['tasks', way[0] ?? '', 'after'],
      `${way.join(' waits for ')}: none of them could ever start; take one of these links away`,
    ),
  );
  return [...unknown, ...circles];
}

const REFERENCE = /workflow:\/\/\/([^/\s'"$]+)\//g;

/** Whose outputs a task takes it waits for. A part of a scattered task has its number behind a dot. */
function takenBy(fields: unknown): { task: string; path: Path }[] {
  const taken: { task: string; path: Path }[] = [];
  walk(fields, [], (text, path) => {
    for (const [, word = ''] of text.matchAll(REFERENCE)) taken.push({ task: plain(word), path });
  });
  return taken;
}

function plain(word: string): string {
  return word.replace(/\.\d+$/, '');
}

function wrongReferences({ tasks, source }: Manifest): Problem[] {
  return [...tasks].flatMap(([name, { fields }]) =>
    takenBy(fields)
      .filter(({ task }) => !tasks.has(task) && !TASK_ID.test(task))
      .map(({ task, path }) =>
        source.problem(
          ['tasks', name, ...path],
          `task ${name}: ${dotted(path)}: no task ${JSON.stringify(task)} in this file${didYouMean(task, tasks.keys())}`,
        ),
      ),
  );
}

function walk(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, [...path, index], visit);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) walk(item, [...path, key], visit);
  }
}
