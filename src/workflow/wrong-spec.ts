/**
 * All that is wrong with one task. Its schema tells all at once, what its parts mean together one by one: what was
 * told is taken out, and the rest is looked at again.
 */
import { isAppError } from '../domain/failure.ts';
import { explainAll } from '../protocol/explain.ts';
import { parseSpec } from '../protocol/parse-spec.ts';
import { taskSpecSchema } from '../protocol/spec-schema.ts';
import type { Path } from './problem.ts';
import { knownAt } from './shape.ts';

export interface Wrong {
  path: Path;
  message: string;
  at: 'key' | 'value';
}

type Spec = Readonly<Record<string, unknown>>;

/** Any will do: whether the daemon has a default image is for it to say. */
const SOME_IMAGE = { images: ['docker://any'] };
/** What no task can be without. */
const STAND_IN = { command: ['true'] };

/** `broken` are fields of which enough was said. */
export function wrongIn(spec: Spec, broken: Iterable<string> = []): Wrong[] {
  const out: Path[] = [...broken].map((field) => [field]);
  const all: Wrong[] = [];
  for (;;) {
    const rest = without(spec, out);
    const found = look(rest.spec).map((wrong) => ({ ...wrong, path: rest.pathOf(wrong.path) }));
    all.push(...found);
    const fresh = found
      .map(({ path }) => partOf(spec, path))
      .filter((path) => path.length > 0 && !out.some((other) => isSame(other, path)));
    // each round takes out more, or is the last
    if (fresh.length === 0) return all;
    out.push(...fresh);
  }
}

function look(spec: Spec): Wrong[] {
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
    return [{ path: namedPath(field), message, at: 'value' }];
  }
}

/** `inputs[0].target` as a path. */
function namedPath(field: string): Path {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
}

/** What can be taken out alone: an item of a list, a name of a map, else the whole field. */
function partOf(spec: Spec, path: Path): Path {
  const [field = '', second] = path;
  const isList = field !== 'command' && Array.isArray(spec[field]);
  const isMap = field === 'env' || field === 'tags';
  return (isList || isMap) && second !== undefined ? [field, second] : path.slice(0, 1);
}

const isSame = (a: Path, b: Path): boolean =>
  a.length === b.length && a.every((part, index) => part === b[index]);

/** The task without these parts; `pathOf` gives where what stands in it stood before. */
function without(spec: Spec, out: readonly Path[]): { spec: Spec; pathOf: (path: Path) => Path } {
  const isOut = (...path: (string | number)[]): boolean => out.some((other) => isSame(other, path));
  const kept = new Map<string, number[]>();
  const fields = Object.entries(spec).flatMap(([field, value]): [string, unknown][] => {
    if (isOut(field)) return [];
    if (Array.isArray(value)) {
      const indexes = [...value.keys()].filter((index) => !isOut(field, index));
      kept.set(field, indexes);
      return [[field, indexes.map((index) => value[index] as unknown)]];
    }
    if (typeof value !== 'object' || value === null) return [[field, value]];
    return [
      [field, Object.fromEntries(Object.entries(value).filter(([key]) => !isOut(field, key)))],
    ];
  });
  const rest = Object.fromEntries(fields);
  return {
    spec: isOut('command') ? { ...rest, ...STAND_IN } : rest,
    pathOf: ([field = '', index, ...deeper]) => {
      if (index === undefined) return field === '' ? [] : [field];
      const before = typeof index === 'number' ? kept.get(String(field))?.[index] : undefined;
      return [field, before ?? index, ...deeper];
    },
  };
}
