/** All verbs, each loaded only when it is asked for: a fast start is worth more than a short table. */
import type { Command } from 'commander';
import type { Cli } from '../call.ts';

export type AddCommand = (program: Command, cli: Cli) => void;

interface Verb {
  load: () => Promise<AddCommand>;
  /** What follows `--` is the command of a task. */
  takesCommand?: boolean;
  /** Ends with the exit code of a command: what is not the command's needs a code of its own. */
  givesCommandsCode?: boolean;
}

export const COMMANDS: Readonly<Record<string, Verb>> = {
  daemon: { load: async () => (await import('./daemon.ts')).addDaemon },
  run: {
    load: async () => (await import('./run.ts')).addRun,
    takesCommand: true,
    givesCommandsCode: true,
  },
  submit: { load: async () => (await import('./submit.ts')).addSubmit, takesCommand: true },
  list: { load: async () => (await import('./list.ts')).addList },
  show: { load: async () => (await import('./show.ts')).addShow },
  logs: { load: async () => (await import('./logs.ts')).addLogs },
  exec: {
    load: async () => (await import('./exec.ts')).addExec,
    takesCommand: true,
    givesCommandsCode: true,
  },
  shell: { load: async () => (await import('./exec.ts')).addShell, givesCommandsCode: true },
  cp: { load: async () => (await import('./cp.ts')).addCp },
  wait: { load: async () => (await import('./wait.ts')).addWait },
  cancel: { load: async () => (await import('./task-acts.ts')).addCancel },
  retry: { load: async () => (await import('./task-acts.ts')).addRetry },
  hold: { load: async () => (await import('./task-acts.ts')).addHold },
  release: { load: async () => (await import('./task-acts.ts')).addRelease },
  workflow: { load: async () => (await import('./workflow.ts')).addWorkflow },
  gc: { load: async () => (await import('./gc.ts')).addGc },
  script: { load: async () => (await import('./script.ts')).addScript, takesCommand: true },
  host: { load: async () => (await import('./host.ts')).addHost },
  image: { load: async () => (await import('./image.ts')).addImage },
  events: { load: async () => (await import('./events.ts')).addEvents },
  tes: { load: async () => (await import('./tes.ts')).addTes },
  config: { load: async () => (await import('./config.ts')).addConfig },
  completion: { load: async () => (await import('./completion.ts')).addCompletion },
  __complete: { load: async () => (await import('./complete.ts')).addComplete },
  version: { load: async () => (await import('./version.ts')).addVersion },
  help: { load: async () => (await import('./help.ts')).addHelp },
};

const ALIASES: Readonly<Record<string, string>> = { ls: 'list' };
const OPTIONS_WITH_VALUE = ['--socket', '--config'];

/** The verb of a command line: its first word that is neither an option nor the value of one. */
export function verbOf(words: readonly string[]): string | undefined {
  const skip = words.findIndex((word, index) => {
    const before = words[index - 1] ?? '';
    return !word.startsWith('-') && !OPTIONS_WITH_VALUE.includes(before);
  });
  const word = words[skip];
  if (word === undefined) return undefined;
  return ALIASES[word] ?? word;
}

/** The one verb that is known, or all of them: an unknown one needs them for its suggestion. */
export async function loadCommands(verb: string | undefined): Promise<AddCommand[]> {
  const one = verb !== undefined && Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  const verbs = one === undefined ? Object.values(COMMANDS) : [one];
  return Promise.all(verbs.map(({ load }) => load()));
}
