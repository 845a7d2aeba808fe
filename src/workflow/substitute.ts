/** `${name}` in texts. A `$${` is a literal `${`. */
import { didYouMean } from '../domain/suggest.ts';
import type { Values } from './parameters.ts';
import type { Path } from './problem.ts';

const PLACES = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export interface Filling {
  values: Values;
  /** What is wrong with the text at a path. */
  wrong: (path: Path, message: string) => void;
  /** Told of each text that changed. */
  filled: (path: Path) => void;
}

/** The value with all its texts filled; keys stay as they are. */
export function fill(value: unknown, path: Path, filling: Filling): unknown {
  if (typeof value === 'string') return fillText(value, path, filling);
  if (Array.isArray(value))
    return value.map((item, index) => fill(item, [...path, index], filling));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    fill(item, [...path, key], filling),
  ]);
  return Object.fromEntries(entries) as unknown;
}

function fillText(text: string, path: Path, filling: Filling): string | string[] {
  const whole = /^\$\{([^}]*)\}$/.exec(text)?.[1];
  const list = whole === undefined ? undefined : filling.values.get(whole);
  if (Array.isArray(list)) {
    filling.filled(path);
    return list;
  }
  const done = text.replaceAll(PLACES, (place: string, name: string | undefined, end: string) =>
    name === undefined ? '${' : valueOf({ place, name, isClosed: end !== '' }, path, filling),
  );
  if (done !== text) filling.filled(path);
  return done;
}

interface Place {
  place: string;
  name: string;
  isClosed: boolean;
}

function valueOf({ place, name, isClosed }: Place, path: Path, { values, wrong }: Filling): string {
  if (!isClosed || !NAME.test(name)) {
    wrong(path, `${place} is not $\{NAME}; for a literal $\{ write $$\{`);
    return '';
  }
  const value = values.get(name);
  if (typeof value === 'string') return value;
  const what =
    value === undefined
      ? `nothing is named ${name}${didYouMean(name, values.keys())}; for a literal $\{ write $$\{`
      : `${name} is a list; it can be scattered over, or stand for a whole list`;
  wrong(path, `${place}: ${what}`);
  return '';
}
