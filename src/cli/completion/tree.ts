/** The tree of commands as completion sees it: a flat list of places. */
import type { Command } from 'commander';

export interface Place {
  /** `host show`; empty for the top. */
  path: string;
  /** Subcommands and what they are for. */
  verbs: { name: string; what: string }[];
  options: { name: string; what: string; takesValue: boolean; choices: readonly string[] }[];
  /** What its first argument is. */
  argument: 'tasks' | 'hosts' | 'words' | 'files' | 'none';
  words: readonly string[];
}

const TASK_VERBS = [
  'show',
  'logs',
  'exec',
  'shell',
  'cp',
  'wait',
  'cancel',
  'retry',
  'hold',
  'release',
];
/** Options whose value is the name of a host or the id of a task. */
export const HOST_OPTIONS = ['--host'];
export const TASK_OPTIONS = ['--task'];

/** Every place of the tree, the top first; hidden commands are left out. */
export function placesOf(program: Command): Place[] {
  return walk(program, '');
}

function walk(command: Command, path: string): Place[] {
  const children = command.commands.filter((child) => !isHidden(child));
  const place: Place = {
    path,
    verbs: children.map((child) => ({ name: child.name(), what: child.summary() })),
    options: command.options.flatMap(
      ({ long, short, description, required, optional, argChoices }) =>
        [long, short]
          .filter((name): name is string => typeof name === 'string')
          .map((name) => ({
            name,
            what: description,
            takesValue: required || optional,
            choices: argChoices ?? [],
          })),
    ),
    argument: argumentOf(command, path),
    words: command.registeredArguments[0]?.argChoices ?? [],
  };
  const below = children.flatMap((child) => walk(child, `${path} ${child.name()}`.trim()));
  return [place, ...below];
}

function isHidden(command: Command): boolean {
  return command.name().startsWith('__');
}

function argumentOf(command: Command, path: string): Place['argument'] {
  const [first] = command.registeredArguments;
  if (first === undefined) return 'none';
  if (first.argChoices !== undefined) return 'words';
  if (TASK_VERBS.includes(path)) return 'tasks';
  if (path.startsWith('workflow ')) return 'files';
  return path.startsWith('host ') || path.startsWith('image ') ? 'hosts' : 'none';
}
