/**
 * The command line. What comes in: words, an environment, three streams. What goes out: text or JSON,
 * an exit code. Never here: knowledge of hosts or containers; everything is asked of the daemon
 * through client/. Only this room prints. Read next: commands/, call.ts, exit-codes.ts.
 */
import { Command, CommanderError } from 'commander';
import { AppError } from '../domain/failure.ts';
import type { Cli, CliOptions } from './call.ts';
import { COMMANDS, loadCommands, verbOf } from './commands/table.ts';
import { EXIT_BROKEN_PIPE, EXIT_NOT_THE_COMMANDS, EXIT_OK, exitCodeOf } from './exit-codes.ts';
import { BrokenPipe, processIo } from './io.ts';
import { printError } from './output/error.ts';

export type { CliOptions } from './call.ts';

/**
 * Runs one command line (without `node` and the script) and gives its exit code; everything printed
 * has been handed to the system by then, so the process may exit at once. Never rejects.
 */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<number> {
  const { before, after } = splitDashes(argv);
  const cli: Cli = {
    ...options,
    io: options.io ?? processIo(),
    afterDashes: after,
    exitCode: EXIT_OK,
    closers: [],
    help: '',
  };
  const verb = verbOf(before);
  try {
    await parse(cli, before);
    return cli.exitCode;
  } catch (error) {
    return await failed(cli, { error, verb, json: before.includes('--json') });
  } finally {
    for (const close of cli.closers) close();
    if (cli.help !== '') await cli.io.out.write(cli.help).catch(() => {});
  }
}

/** The whole tree of commands, as documentation and completion need it. */
export async function buildProgram(cli: Cli, verb?: string): Promise<Command> {
  const program = new Command('towline')
    .description('Run containerised tasks on any machine you can SSH to.')
    .helpCommand(false)
    .enablePositionalOptions(false)
    .exitOverride()
    .showHelpAfterError(false);
  program.configureOutput({
    writeOut: (text) => {
      cli.help += text;
    },
    writeErr: () => {},
    outputError: () => {},
    getOutHelpWidth: () => cli.io.out.columns,
  });
  for (const add of await loadCommands(verb)) add(program, cli);
  return program;
}

async function parse(cli: Cli, before: string[]): Promise<void> {
  if (before.length === 0) before = ['help'];
  if (before[0] === '--version' || before[0] === '-V') before = ['version', ...before.slice(1)];
  if (before[0] === '--help' || before[0] === '-h') before = ['help', ...before.slice(1)];
  const verb = verbOf(before);
  const words = globalsLast(before, verb);
  const program = await buildProgram(cli, verb);
  // Words after -- belong to the command of a task; other verbs take them as plain arguments.
  const takesCommand = verb !== undefined && COMMANDS[verb]?.takesCommand === true;
  const rest = takesCommand || cli.afterDashes === undefined ? [] : ['--', ...cli.afterDashes];
  await program.parseAsync([...words, ...rest], { from: 'user' });
}

/** `towline --socket S list` is `towline list --socket S`: each verb knows the common options itself. */
function globalsLast(words: string[], verb: string | undefined): string[] {
  const at = verb === undefined ? 0 : words.findIndex((word) => verbOf([word]) === verb);
  return at <= 0 ? words : [...words.slice(at), ...words.slice(0, at)];
}

function splitDashes(argv: readonly string[]): { before: string[]; after: string[] | undefined } {
  const at = argv.indexOf('--');
  return at < 0
    ? { before: [...argv], after: undefined }
    : { before: argv.slice(0, at), after: argv.slice(at + 1) };
}

interface Failed {
  error: unknown;
  verb: string | undefined;
  json: boolean;
}

async function failed(cli: Cli, { error, verb, json }: Failed): Promise<number> {
  if (error instanceof BrokenPipe) return EXIT_BROKEN_PIPE;
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT_OK;
  const told = error instanceof CommanderError ? usageError(error, verb) : error;
  const code = await printError(cli.io, told, json).catch(() => exitCodeOf(told));
  return COMMANDS[verb ?? '']?.givesCommandsCode === true ? EXIT_NOT_THE_COMMANDS : code;
}

/** Commander's words without its prefix; a suggestion in them stays. */
function usageError(error: CommanderError, verb: string | undefined): AppError {
  const known = verb !== undefined && Object.hasOwn(COMMANDS, verb) ? verb : '';
  return new AppError('USAGE', usageMessage(error, known), { context: { command: known } });
}

function usageMessage(error: CommanderError, verb: string): string {
  if (error.code === 'commander.help') return `towline ${verb} needs one more word`;
  if (error.code === 'commander.excessArguments' && COMMANDS[verb]?.takesCommand === true) {
    const what = verb === 'exec' ? 'ID' : 'IMAGE';
    return `the command goes after --: towline ${verb} [options] ${what} -- CMD…`;
  }
  const words = error.message.replace(/^error: /, '').replace(/\n\(?/, ' (');
  return words.trim();
}
