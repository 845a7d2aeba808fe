/**
 * What is right in a file of which something is wrong, so that all is told at once: each part with a problem is noted
 * and taken out, and the rest is looked at again. Nothing is told that only follows from what was taken out.
 */
import type { z } from 'zod';
import { explainAll } from '../protocol/explain.ts';
import type { Path } from './problem.ts';
import { fileShape, knownAt } from './shape.ts';

type FileShape = z.infer<typeof fileShape>;

/** What is not known well enough for more than its name. */
export interface Doubts {
  tasks: ReadonlySet<string>;
  parameters: ReadonlySet<string>;
  /** What they lack may have been meant by what was taken out of them. */
  incomplete: ReadonlySet<string>;
}

export interface Rescued {
  /** undefined: too little is left of it. */
  shape: FileShape | undefined;
  doubts: Doubts;
  wrong: { path: Path; text: string }[];
}

export function rescue(value: unknown): Rescued {
  const rest = structuredClone(value);
  const doubts = {
    tasks: new Set<string>(),
    parameters: new Set<string>(),
    incomplete: new Set<string>(),
  };
  const wrong: Rescued['wrong'] = [];
  for (;;) {
    const shaped = fileShape.safeParse(rest);
    if (shaped.success) return { shape: shaped.data, doubts, wrong };
    const found = explainAll(shaped.error, knownAt) as Rescued['wrong'];
    wrong.push(...found);
    // each round takes at least one key of the file away, or is the last
    if (!found.every(({ path }) => takeOut(rest as Tree, path, doubts)))
      return { shape: undefined, doubts, wrong };
  }
}

type Tree = Record<string, unknown>;
type Noted = { [Key in keyof Doubts]: Set<string> };

/** Gives false for what nothing can be said without. */
function takeOut(file: Tree, [first, second, third]: Path, doubts: Noted): boolean {
  if (first === undefined) return false;
  if (second === undefined) {
    if (first === 'name') file['name'] = 'unnamed';
    else delete file[first];
    return !['tasks', 'defaults', 'parameters'].includes(String(first));
  }
  const inner = file[first] as Tree;
  const name = String(second);
  if (first === 'tasks') {
    // without its scatter its texts name what is nowhere
    if (third === undefined || third === 'scatter') doubts.tasks.add(name);
    doubts.incomplete.add(name);
    if (third === undefined) inner[name] = {};
    else delete (inner[name] as Tree)[third];
  } else if (first === 'parameters') {
    doubts.parameters.add(name);
    inner[name] = '';
  } else delete inner[name];
  return true;
}
