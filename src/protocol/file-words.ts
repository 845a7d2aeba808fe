/** Inputs and outputs as people write them in one word, as objects with absolute local paths. Pure. */

import { isReference } from './references.ts';
import type { WireTaskSpec } from './spec-schema.ts';
import { baseName, splitColons } from './text-rules.ts';

/** Makes a path of the submit host absolute. */
export type Local = (path: string) => string;
type Input = NonNullable<WireTaskSpec['inputs']>[number];
type Output = Exclude<NonNullable<WireTaskSpec['outputs']>[number], string>;

/** `SRC[:DST]`, or `remote:SRC[:DST]` for what is on the host. */
export function inputOf(text: string, local: Local): Input {
  // what another task makes has no place here
  if (isReference(text)) return text;
  const isRemote = text.startsWith('remote:/');
  const [path = '', target] = splitColons(isRemote ? text.slice('remote:'.length) : text, 2);
  const to = target === undefined || target === '' ? baseName(local(path)) : target;
  return isRemote ? { remote: path, target: to } : { path: local(path), target: to };
}

/** `PATH[:LOCAL]`. Without LOCAL: the same relative name here; a glob lands below the directory where it begins. */
export function outputOf(text: string, local: Local, overwrite: boolean): Output {
  const [path = '', given] = splitColons(text, 2);
  const inside = path.replace(/^\/mnt\/task\/work\//, '').replace(/\/$/, '');
  const wanted = given === undefined || given === '' ? defaultLocal(inside) : given;
  return { path, local: localTarget(wanted, local), overwrite };
}

/** Absolute; a slash at its end, which says directory, stays. */
export function localTarget(wanted: string, local: Local): string {
  const slash = wanted.endsWith('/') || wanted === '.' || wanted === '..' ? '/' : '';
  return `${local(wanted).replace(/\/$/, '')}${slash}`;
}

function defaultLocal(path: string): string {
  const parts = path.split('/');
  const glob = parts.findIndex((part) => /[*?[{]/.test(part));
  return glob < 0 ? path : `${['.', ...parts.slice(0, glob)].join('/')}/`;
}
