/**
 * References to a scattered task: all its parts are meant. An input becomes one for each part, below a
 * directory of their number; a word of a command becomes as many words.
 */
import { isReference, splitReference, spotReferences } from '../protocol/references.ts';
import { baseName } from '../protocol/text-rules.ts';
import type { Path } from './problem.ts';

type Fields = Record<string, unknown>;

const TASK = /^workflow:\/\/\/([^/]+)\//;

export interface Gathering {
  /** Of a scattered task the names of its parts; undefined for any other. */
  partsOf: (task: string) => readonly string[] | undefined;
  wrong: (path: Path, message: string) => void;
}

/** The task with references to parts only. */
export function gather(fields: Fields, gathering: Gathering): Fields {
  const { command, inputs } = fields;
  refuseElsewhere(fields, gathering);
  return {
    ...fields,
    ...(Array.isArray(inputs) && {
      inputs: inputs.flatMap((input: unknown) => gatherInput(input, gathering)),
    }),
    ...(typeof command === 'string' && { command: gatherText(command, gathering) }),
    ...(Array.isArray(command) && {
      command: command.flatMap((word: unknown) => gatherWord(word, gathering)),
    }),
  };
}

/** `workflow:///TASK/…` for each part of a scattered task; undefined for a reference to another one. */
function partsIn(reference: string, { partsOf }: Gathering): string[] | undefined {
  const task = TASK.exec(reference)?.[1];
  const parts = task === undefined ? undefined : partsOf(task);
  return parts?.map((part) => reference.replace(TASK, `workflow:///${part}/`));
}

function gatherInput(input: unknown, gathering: Gathering): unknown[] {
  const isText = typeof input === 'string';
  const text = isText ? input : (input as Fields | null)?.['path'];
  if (typeof text !== 'string' || !isReference(text)) return [input];
  const [reference = '', given] = isText ? splitReference(text, 2) : [text];
  const parts = partsIn(reference, gathering);
  if (parts === undefined) return [input];
  const target = isText ? given : (input as Fields)['target'];
  const directory =
    typeof target === 'string' && target !== '' ? target : TASK.exec(reference)?.[1];
  const name = baseName(reference);
  return parts.map((path, index) => ({ path, target: `${directory}/${index}/${name}` }));
}

function gatherWord(word: unknown, gathering: Gathering): unknown[] {
  if (typeof word !== 'string') return [word];
  if (isReference(word)) return partsIn(word, gathering) ?? [word];
  return [gatherText(word, gathering)];
}

function gatherText(text: string, gathering: Gathering): string {
  const pieces: string[] = [];
  let from = 0;
  for (const { at, raw, quote } of spotReferences(text)) {
    const parts = partsIn(raw, gathering) ?? [raw];
    pieces.push(text.slice(from, at), parts.join(`${quote} ${quote}`));
    from = at + raw.length;
  }
  return pieces.join('') + text.slice(from);
}

/** Where only one can stand. */
function refuseElsewhere({ stdin, binds, env }: Fields, gathering: Gathering): void {
  const places: [Path, unknown][] = [
    [['stdin'], typeof stdin === 'string' ? stdin : (stdin as Fields | null)?.['path']],
    ...listOf(binds).map(([key, bind]): [Path, unknown] => [
      ['binds', Number(key)],
      typeof bind === 'string' ? bind : (bind as Fields | null)?.['source'],
    ]),
    ...listOf(env).map(([name, value]): [Path, unknown] => [['env', name], value]),
  ];
  for (const [path, text] of places) {
    if (typeof text !== 'string' || !isReference(text)) continue;
    const [first] = partsIn(text, gathering) ?? [];
    if (first !== undefined) gathering.wrong(path, `: a scattered task; name one part: ${first}`);
  }
}

function listOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
