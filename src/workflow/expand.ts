/** From a file and values to the tasks to submit: scatters spread, names put in, paths made absolute. */
import { resolve } from 'node:path';
import { isAppError } from '../domain/failure.ts';
import { explainAll } from '../protocol/explain.ts';
import { SUBMIT_TASKS_MAX } from '../protocol/limits.ts';
import { withLocalPaths } from '../protocol/local-paths.ts';
import { parseSpec } from '../protocol/parse-spec.ts';
import { taskSpecSchema, type WireTaskSpec } from '../protocol/spec-schema.ts';
import { gather } from './gather.ts';
import type { Manifest, ManifestTask } from './manifest.ts';
import { nameOf } from './manifest.ts';
import { splitList, type Values, valuesOf } from './parameters.ts';
import { type Path, type Problem, sorted } from './problem.ts';
import { knownAt } from './shape.ts';
import { fill } from './substitute.ts';

export interface ExpandOptions {
  /** Values of `--set`. */
  set: Readonly<Record<string, string>>;
  /** Where the file is. */
  directory: string;
}

export interface Expanded {
  tasks: WireTaskSpec[];
  /** For each task of the file the names of what is made of it. */
  parts: Map<string, string[]>;
}

/** All tasks, or all problems. A task without an image is none yet: the daemon may have a default. */
export function expand(
  manifest: Manifest,
  options: ExpandOptions,
): Expanded | { problems: Problem[] } {
  const { values, problems } = valuesOf(manifest, options.set);
  if (problems.length > 0) return { problems: sorted(problems) };
  const scattered = new Map(
    [...manifest.tasks].map(([name]) => [name, scatter(manifest, name, values)]),
  );
  const missing = [...scattered.values()].flatMap((one) => one.problems);
  const count = [...scattered.values()].reduce((sum, { scopes }) => sum + scopes.length, 0);
  if (count > SUBMIT_TASKS_MAX) missing.push(tooMany(manifest, count));
  if (missing.length > 0) return { problems: sorted(missing) };

  const parts = new Map(
    [...scattered].map(([name, { scopes }]) => [name, scopes.map((one) => one.name)]),
  );
  const made = [...scattered].flatMap(([name, { scopes }]) =>
    scopes.map((scope) => makeTask({ manifest, options, parts }, name, scope)),
  );
  const found = made.flatMap((one) => one.problems);
  return found.length > 0
    ? { problems: sorted(found) }
    : { tasks: made.flatMap((one) => one.tasks), parts };
}

interface Scope {
  name: string;
  values: Values;
}

function scatter({ tasks, source }: Manifest, name: string, values: Values) {
  const over = tasks.get(name)?.scatter;
  if (over === undefined) return { scopes: [{ name, values }], problems: [] };
  const path = ['tasks', name, 'scatter', 'over'];
  const problems: Problem[] = [];
  const filled = fill(over.over, path, {
    values,
    wrong: (at, message) => problems.push(source.problem(at, `${nameOf(path)}: ${message}`)),
    filled: () => {},
  });
  const items = typeof filled === 'string' ? splitList(filled) : (filled as unknown[]).map(String);
  if (items.length === 0 && problems.length === 0) {
    problems.push(source.problem(path, `${nameOf(path)} is empty: there would be no task ${name}`));
  }
  const scopes = items.map((item, index) => ({
    name: `${name}.${index}`,
    values: new Map([...values, [over.as, item] as const]),
  }));
  return { scopes, problems };
}

function tooMany({ source }: Manifest, count: number): Problem {
  const what = `${count} tasks would be made; at most ${SUBMIT_TASKS_MAX} can be submitted at once`;
  return source.problem(['tasks'], `${what}: scatter over less`, 'key');
}

interface Making {
  manifest: Manifest;
  options: ExpandOptions;
  parts: ReadonlyMap<string, string[]>;
}

function makeTask({ manifest, options, parts }: Making, key: string, scope: Scope) {
  const { source, defaults } = manifest;
  const { fields, after } = manifest.tasks.get(key) as ManifestTask;
  const problems: Problem[] = [];
  /** Where a field stands: in the task, or where it was taken over from. */
  const placeOf = (path: Path): Path => {
    const own =
      path.length === 0 || path[0] === 'after' || Object.hasOwn(fields, path[0] as string);
    return own || !Object.hasOwn(defaults, path[0] as string)
      ? ['tasks', key, ...path]
      : ['defaults', ...path];
  };
  const wrong = (path: Path, message: string, at: 'key' | 'value' = 'value'): void => {
    const what = path.length === 0 ? '' : ` ${nameOf(path)}`;
    problems.push(source.problem(placeOf(path), `task ${key}:${what}${message}`, at));
  };
  const changed = new Set<string>();
  const texts = fill({ ...defaults, ...fields }, [], {
    values: scope.values,
    wrong: (path, message) => wrong(path, `: ${message}`),
    filled: (path) => changed.add(path.join('/')),
  }) as Record<string, unknown>;
  if (problems.length > 0) return { tasks: [], problems };

  const gathered = gather(typed(texts, changed), {
    partsOf: (other) =>
      manifest.tasks.get(other)?.scatter === undefined ? undefined : parts.get(other),
    wrong,
  });
  const spec = {
    ...withLocalPaths(gathered, (path) => resolve(options.directory, path)),
    name: scope.name,
    ...(after.length > 0 && { after: after.flatMap((other) => parts.get(other) ?? []) }),
  };
  for (const { path, message, at } of wrongIn(spec)) wrong(path, message, at);
  return { tasks: [spec as unknown as WireTaskSpec], problems };
}

/** What is put in is text: a field that takes only numbers, or true and false, gets what it says. */
function typed(
  fields: Record<string, unknown>,
  changed: ReadonlySet<string>,
): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => {
    const schema = taskSpecSchema.shape[name as keyof typeof taskSpecSchema.shape];
    if (typeof value !== 'string' || !changed.has(name) || schema.safeParse(value).success)
      return [name, value];
    const meant = value === 'true' ? true : value === 'false' ? false : Number(value);
    return [name, value.trim() !== '' && schema.safeParse(meant).success ? meant : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Any will do: whether the daemon has a default image is for it to say. */
const SOME_IMAGE = { images: ['docker://any'] };

function wrongIn(spec: unknown): { path: Path; message: string; at: 'key' | 'value' }[] {
  const shaped = taskSpecSchema.safeParse(spec);
  if (!shaped.success) {
    return explainAll(shaped.error, () => knownAt(['inputs'])).map(({ path, text }) => ({
      path: path as Path,
      message: ` ${text}`,
      at: text.startsWith('is not known') ? 'key' : 'value',
    }));
  }
  try {
    parseSpec(spec, SOME_IMAGE);
    return [];
  } catch (error) {
    if (!isAppError(error)) throw error;
    const field = String(error.context['field'] ?? '');
    const message = error.message.startsWith(field)
      ? error.message.slice(field.length)
      : ` ${error.message}`;
    return [{ path: pathOf(field), message, at: 'value' }];
  }
}

/** `inputs[0].target` as a path. */
function pathOf(field: string): Path {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
}
