/** From a file and values to the tasks to submit: scatters spread, names put in, paths made absolute. */
import { resolve } from 'node:path';
import { SUBMIT_TASKS_MAX } from '../protocol/limits.ts';
import { withLocalPaths } from '../protocol/local-paths.ts';
import { taskSpecSchema, type WireTaskSpec } from '../protocol/spec-schema.ts';
import { gather } from './gather.ts';
import type { Manifest, ManifestTask } from './manifest.ts';
import { nameOf } from './manifest.ts';
import { splitList, type Values, valuesOf } from './parameters.ts';
import type { Path, Problem } from './problem.ts';
import { fill } from './substitute.ts';
import { wrongIn } from './wrong-spec.ts';

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

/**
 * All tasks, and all problems: with any, the tasks are not to be submitted. A task without an image is none yet: the
 * daemon may have a default.
 */
export function expand(
  manifest: Manifest,
  options: ExpandOptions,
): Expanded & { problems: Problem[] } {
  const { values, missing, problems } = valuesOf(manifest, options.set);
  const unknown = new Set([...missing, ...manifest.doubts.parameters]);
  const scattered = new Map(
    [...manifest.tasks.keys()].map((name) => [name, scatter(manifest, name, { values, unknown })]),
  );
  problems.push(...[...scattered.values()].flatMap((one) => one.problems));
  const parts = new Map(
    [...scattered].map(([name, { scopes }]) => [name, scopes.map((one) => one.name)]),
  );
  const count = [...parts.values()].reduce((sum, names) => sum + names.length, 0);
  if (count > SUBMIT_TASKS_MAX) {
    problems.push(tooMany(manifest, count));
    return { tasks: [], parts, problems };
  }
  const made = [...scattered].flatMap(([name, { scopes }]) =>
    manifest.doubts.tasks.has(name)
      ? []
      : scopes.map((scope) => makeTask({ manifest, options, parts }, name, scope)),
  );
  problems.push(...made.flatMap((one) => one.problems));
  return { tasks: made.map(({ task }) => task), parts, problems };
}

interface Scope extends Given {
  name: string;
}

interface Given {
  values: Values;
  /** Names whose value nobody knows: what is made with them tells nothing. */
  unknown: ReadonlySet<string>;
}

function scatter({ tasks, source }: Manifest, name: string, { values, unknown }: Given) {
  const over = tasks.get(name)?.scatter;
  if (over === undefined) return { scopes: [{ name, values, unknown }], problems: [] };
  const path = ['tasks', name, 'scatter', 'over'];
  const problems: Problem[] = [];
  const filled = fill(over.over, path, {
    values,
    wrong: (at, message) => problems.push(source.problem(at, `${nameOf(path)}: ${message}`)),
    filled: () => {},
  });
  const items = typeof filled === 'string' ? splitList(filled) : (filled as unknown[]).map(String);
  if (items.length === 0 && problems.length === 0 && !uses(over.over, unknown)) {
    problems.push(source.problem(path, `${nameOf(path)} is empty: there would be no task ${name}`));
  }
  // of no list at all one part is looked at, for what is wrong with all
  const isKnown = items.length > 0 && !uses(over.over, unknown);
  const scopes = (items.length === 0 ? [''] : items).map((item, index) => ({
    name: `${name}.${index}`,
    values: new Map([...values, [over.as, item] as const]),
    unknown: isKnown ? unknown : new Set([...unknown, over.as]),
  }));
  return { scopes, problems };
}

/** Whether any text in there has one of the names put in. */
function uses(value: unknown, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  const text = JSON.stringify(value) ?? '';
  return [...names].some((name) => text.includes(`\${${name}}`));
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
  const { source, defaults, doubts } = manifest;
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
    const place = placeOf(path);
    const whose = place[0] === 'defaults' ? 'defaults' : `task ${key}`;
    problems.push(source.problem(place, `${whose}:${what}${message}`, at));
  };
  const changed = new Set<string>();
  const written: Readonly<Record<string, unknown>> = { ...defaults, ...fields };
  const broken = new Set(
    Object.keys(written).filter((field) => uses(written[field], scope.unknown)),
  );
  if (doubts.incomplete.has(key) && written['command'] === undefined) broken.add('command');
  const texts = fill(written, [], {
    values: scope.values,
    wrong: (path, message) => {
      broken.add(String(path[0]));
      wrong(path, `: ${message}`);
    },
    filled: (path) => changed.add(path.join('/')),
  }) as Record<string, unknown>;
  const gathered = gather(typed(texts, changed), {
    partsOf: (other) =>
      manifest.tasks.get(other)?.scatter === undefined ? undefined : parts.get(other),
    wrong: (path, message) => {
      broken.add(String(path[0]));
      wrong(path, message);
    },
  });
  const spec = {
    ...withLocalPaths(gathered, (path) => resolve(options.directory, path)),
    name: scope.name,
    ...(after.length > 0 && { after: after.flatMap((other) => parts.get(other) ?? []) }),
  };
  for (const { path, message, at } of wrongIn(spec, broken)) wrong(path, message, at);
  return { task: spec as unknown as WireTaskSpec, problems };
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
