/** The values of parameters: what is given, else the defaults of the file. */
import { didYouMean } from '../domain/suggest.ts';
import type { Manifest } from './manifest.ts';
import type { Problem } from './problem.ts';
import type { Scalar } from './shape.ts';

/** Texts, as they are put in; a list can only be scattered over, or stand for a whole list. */
export type Values = ReadonlyMap<string, string | string[]>;

export function valuesOf(
  manifest: Manifest,
  given: Readonly<Record<string, string>>,
): { values: Values; missing: string[]; problems: Problem[] } {
  const { parameters, source } = manifest;
  const unknown = Object.keys(given)
    .filter((name) => !parameters.has(name))
    .map((name) => {
      const near = didYouMean(name, parameters.keys());
      return source.problem(
        ['parameters'],
        `--set ${name}: the file has no such parameter${near}`,
        'key',
      );
    });
  const missing = [...parameters]
    .filter(([name, value]) => value === null && !Object.hasOwn(given, name))
    .map(([name]) => name);
  const untold = missing.map((name) => {
    const what = `parameter ${name} has no value; give it with --set ${name}=VALUE`;
    return source.problem(['parameters', name], what, 'key');
  });
  const values = [...parameters].map(([name, value]): [string, string | string[]] => {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    if (own !== undefined) return [name, Array.isArray(value) ? splitList(own) : own];
    return [name, Array.isArray(value) ? value.map(String) : textOf(value)];
  });
  return { values: new Map(values), missing, problems: [...unknown, ...untold] };
}

/** `a,b,c`: spaces around an item are not of it, an empty text is an empty list. */
export function splitList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
}

function textOf(value: Scalar | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
