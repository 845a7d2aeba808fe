/** Local paths of a task that was not written for the daemon: relative to a file, or to where a script runs. Pure. */
import { inputOf, type Local, localTarget, outputOf } from './file-words.ts';
import { isReference } from './references.ts';

type Fields = Record<string, unknown>;

/** The task with absolute local paths; what has not the form of one is left for the schema to refuse. */
export function withLocalPaths(fields: Fields, place: Local): Fields {
  const local = (path: string): string => (isReference(path) ? path : place(path));
  const inputs = (value: unknown): unknown =>
    typeof value === 'string' ? inputOf(value, local) : pathIn(value, 'path', local);
  const outputs = (value: unknown): unknown =>
    typeof value === 'string'
      ? outputOf(value, local, false)
      : pathIn(value, 'local', (path) => localTarget(path, local));
  const stdin = (value: unknown): unknown =>
    typeof value === 'string' ? local(value) : pathIn(value, 'path', local);
  return {
    ...fields,
    ...(Array.isArray(fields['inputs']) && { inputs: fields['inputs'].map(inputs) }),
    ...(Array.isArray(fields['outputs']) && { outputs: fields['outputs'].map(outputs) }),
    ...('stdin' in fields && { stdin: stdin(fields['stdin']) }),
  };
}

function pathIn(value: unknown, key: string, local: Local): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const path = (value as Fields)[key];
  return typeof path === 'string' && path !== '' ? { ...value, [key]: local(path) } : value;
}
