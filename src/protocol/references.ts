/**
 * References to what another task has made: `workflow:///TASK/path`, in inputs, binds, values of env and
 * commands. Each is an input; in a command it stands for where that input is in the container. TASK is an id,
 * or the name of another task of the same submission; `%20` and the like stand for what a URI cannot hold.
 */
import { AppError } from '../domain/failure.ts';
import { globBase, hasGlob } from '../domain/globs.ts';
import type { Command, Input, InputSource } from '../domain/task.ts';
import { INPUTS_DIR, workPattern } from './container-dirs.ts';
import { baseName, splitColons } from './text-rules.ts';

const SCHEME = 'workflow:';
const START = `${SCHEME}///`;
const REFERENCE = /^workflow:\/\/\/([^/]+)(?:\/(.*))?$/s;
/** Where a reference ends that stands in no quotes of its own: where a shell would end the word, or worse. */
const UNQUOTED = /^[^\s'"`;&|<>()$\\]+/;
/** What a shell takes as it stands; of a pattern it makes the names. */
const PLAIN = /^[A-Za-z0-9_./+@%=:,^~*?[\]-]*$/;

export type OutputSource = Extract<InputSource, { kind: 'output' }>;

export function isReference(text: string): boolean {
  return text.startsWith(`${SCHEME}//`);
}

/** @throws TASK_INVALID naming the field */
export function parseReference(text: string, field: string): OutputSource {
  const [, task, path] = REFERENCE.exec(text) ?? [];
  if (task === undefined || path === undefined) {
    const known = 'must be workflow:///TASK/PATH: an id, or the name of a task submitted together';
    refuse(field, `${known}, and a path below its work directory`);
  }
  return {
    kind: 'output',
    task: decoded(task, field),
    path: workPattern(decoded(path, field), field),
  };
}

/** `workflow:///TASK/path[:rest…]` in at most `parts` pieces: the colon of the scheme is none. */
export function splitReference(text: string, parts: number): string[] {
  const [first = '', ...rest] = splitColons(text.slice(SCHEME.length), parts);
  return [SCHEME + first, ...rest];
}

/** Where it stands in the inputs unless the task says so: by its name; what a pattern finds, by where that begins. */
export function defaultTarget({ task, path }: OutputSource): string {
  return baseName(hasGlob(path) ? globBase(path) : path).replace(/^\.?$/, baseName(task));
}

/** The inputs that the references found so far are. */
export interface Found {
  inputs: Input[];
}

/** The command with a path of the container for each reference. @throws TASK_INVALID naming the field */
export function inCommand(command: Command, found: Found, field: string): Command {
  if (command.kind === 'text') return { ...command, text: inText(command.text, found, field) };
  const argv = command.argv.map((word, index) => {
    const at = `${field}[${index}]`;
    if (!isReference(word)) return inText(word, found, at);
    const source = parseReference(word, at);
    if (hasGlob(source.path)) {
      refuse(
        at,
        'is a pattern: no shell makes names of it; name a directory, or write the command as one text',
      );
    }
    return pathOf(source, found);
  });
  return { ...command, argv };
}

/** Values that are a reference, whole. @throws TASK_INVALID naming the field */
export function inEnv(
  env: Record<string, string>,
  found: Found,
  field: (name: string) => string,
): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]): [string, string] => [
    name,
    isReference(value) ? pathOf(parseReference(value, field(name)), found) : value,
  ]);
  return Object.fromEntries(entries);
}

/** Binds of references are inputs at a place of their own, read-only. @throws TASK_INVALID naming the field */
export function inBind(
  source: OutputSource,
  { target, readonly }: { target: string; readonly?: boolean | undefined },
  field: string,
): Input {
  if (readonly === false) refuse(field, 'is an output of a task: it can only be mounted read-only');
  return { source, target };
}

/** A reference in a text: in quotes of its own, or as far as a shell's word goes. */
export interface Spotted {
  at: number;
  raw: string;
  quote: string;
}

/** All references in a text that a shell will read, in order. */
export function spotReferences(text: string): Spotted[] {
  const spotted: Spotted[] = [];
  let from = 0;
  for (let at = text.indexOf(START); at >= 0; at = text.indexOf(START, from)) {
    const before = text[at - 1] ?? '';
    const end = /['"]/.test(before) ? text.indexOf(before, at) : -1;
    const raw = end < 0 ? (UNQUOTED.exec(text.slice(at))?.[0] ?? '') : text.slice(at, end);
    spotted.push({ at, raw, quote: end < 0 ? '' : before });
    from = at + raw.length;
  }
  return spotted;
}

function inText(text: string, found: Found, field: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (const { at, raw, quote } of spotReferences(text)) {
    const path = pathOf(parseReference(raw, field), found);
    pieces.push(text.slice(from, at), quoted(path, quote, { raw, field }));
    from = at + raw.length;
  }
  return pieces.join('') + text.slice(from);
}

/** The path in the quotes that stand around it. */
function quoted(
  path: string,
  quote: string,
  { raw, field }: { raw: string; field: string },
): string {
  switch (quote) {
    case "'":
      return path.replaceAll("'", `'\\''`);
    case '"':
      return path.replaceAll(/[\\"$`]/g, '\\$&');
    default:
      if (PLAIN.test(path)) return path;
      return refuse(field, `: ${raw} has characters that a shell reads: give it quotes of its own`);
  }
}

function pathOf(source: OutputSource, found: Found): string {
  const inside = source.path === '.' ? '' : source.path;
  const base = hasGlob(source.path) ? globBase(source.path) : source.path;
  const directory = source.task.replaceAll('/', '_');
  const target = base === '.' ? directory : `${directory}/${base}`;
  const isKnown = found.inputs.some(
    (input) =>
      input.source.kind === 'output' &&
      input.source.task === source.task &&
      input.source.path === source.path &&
      input.target === target,
  );
  if (!isKnown) found.inputs.push({ source, target });
  return `${INPUTS_DIR}/${directory}${inside === '' ? '' : `/${inside}`}`;
}

function decoded(text: string, field: string): string {
  try {
    const plain = decodeURIComponent(text);
    if (!plain.includes('\0')) return plain;
  } catch {
    // told below
  }
  return refuse(field, `: ${text} is not well encoded; a literal % is %25`);
}

function refuse(field: string, reason: string): never {
  const gap = reason.startsWith(':') ? '' : ' ';
  throw new AppError('TASK_INVALID', `${field}${gap}${reason}`, { context: { field } });
}
