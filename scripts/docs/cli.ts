/** docs/cli.md from the tree of commands: every command, its options, and the exit codes. */
import type { Argument, Command, Option } from 'commander';
import type { Cli } from '../../src/cli/call.ts';
import { EXIT_CODE_TABLE } from '../../src/cli/exit-codes.ts';
import { buildProgram } from '../../src/cli/main.ts';

const GLOBAL_OPTIONS = ['--json', '--socket', '--config', '--help'];

/** The reference of the command line in Markdown; the same tree gives the same text. */
export async function generateCliReference(): Promise<string> {
  const silent = { isTTY: false, columns: 100, write: () => Promise.resolve() };
  const io = { out: silent, err: silent, env: {}, cwd: '/', home: '/', user: '' };
  const cli: Cli = { version: '', io, afterDashes: undefined, exitCode: 0, closers: [], help: '' };
  const program = await buildProgram(cli);
  return [
    '# The command line',
    '',
    'Generated from the command tree; do not edit.',
    '',
    'Every command also takes `--json` (JSON on stdout; a failure is a JSON object on stderr),',
    '`--socket PATH` (or `$TOWLINE_SOCKET`), `--config FILE` (or `$TOWLINE_CONFIG`: where the socket',
    'is looked up) and `--help`. What goes to a task is written after `--`.',
    '',
    ...visible(program).flatMap((command) => section(command, command.name())),
    ...exitCodes(),
  ].join('\n');
}

function visible(command: Command): Command[] {
  return command.commands.filter((child) => !child.name().startsWith('__'));
}

function section(command: Command, path: string): string[] {
  const children = visible(command);
  if (children.length > 0) {
    return children.flatMap((child) => section(child, `${path} ${child.name()}`));
  }
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  const usage = command.usage() || '';
  const options = command.options.filter(({ long }) => !GLOBAL_OPTIONS.includes(long ?? ''));
  return [
    `## towline ${path}`,
    '',
    '```',
    `towline ${path} ${usage}`.trimEnd(),
    '```',
    '',
    command.description(),
    ...(aliases.length > 0 ? ['', `Also: ${aliases.join(', ')}`] : []),
    '',
    ...rows('argument', command.registeredArguments.map(argumentRow)),
    ...rows('option', options.map(optionRow)),
  ];
}

function argumentRow(argument: Argument): string {
  return `| \`${argument.name()}${argument.variadic ? '…' : ''}\` | ${cell(argument.description)} |`;
}

function optionRow(option: Option): string {
  const choices = option.argChoices?.map((choice) => `\`${choice}\``).join(', ');
  const text = choices === undefined ? option.description : `${option.description}: ${choices}`;
  return `| \`${cell(option.flags)}\` | ${cell(text)} |`;
}

function rows(head: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [`| ${head} | |`, '|---|---|', ...lines, ''];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function exitCodes(): string[] {
  return [
    '## Exit codes',
    '',
    '`towline run` ends with the exit code of the command. Codes below are for everything else.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_CODE_TABLE.map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`),
    '',
  ];
}
