/** What a command is given: its words and options, the streams, the client when it asks for it. */
import type { Command } from 'commander';
import type { Client } from '../client/client.ts';
import { AppError } from '../domain/failure.ts';
import type { Io } from './io.ts';

export interface DaemonOptions {
  socket?: string | undefined;
  config?: string | undefined;
  adoptState: boolean;
}

export interface CliOptions {
  version: string;
  /** Default: those of the process. */
  io?: Io | undefined;
  /** Runs the daemon until it ends; given by main.ts, the only one that knows every room. */
  startDaemon?: ((options: DaemonOptions) => Promise<number>) | undefined;
}

export interface Cli extends CliOptions {
  io: Io;
  /** The words after `--`; undefined when there was none. */
  afterDashes: string[] | undefined;
  exitCode: number;
  closers: (() => void)[];
  /** Help text that is still to be printed. */
  help: string;
}

export interface Call<O = unknown> {
  cli: Cli;
  io: Io;
  args: string[];
  options: O & GlobalOptions;
  json: boolean;
  /** Loads and makes the client; nothing is dialled yet. */
  client(): Promise<Client>;
}

export interface GlobalOptions {
  json?: boolean;
  socket?: string;
  config?: string;
}

/** Gives a command its action and the options that every command has. */
export function onAction<O = unknown>(
  command: Command,
  cli: Cli,
  act: (call: Call<O>) => Promise<number | void>,
): Command {
  return command
    .option('--json', 'print JSON, errors too')
    .option('--socket <path>', 'socket of the daemon ($TOWLINE_SOCKET)')
    .option('--config <file>', 'configuration in which the socket is looked up ($TOWLINE_CONFIG)')
    .action(async (...received: unknown[]) => {
      const self = received.at(-1) as Command;
      cli.exitCode = (await act(makeCall<O>(cli, self))) ?? 0;
    });
}

/** @throws USAGE always */
export function usage(command: string, message: string): never {
  throw new AppError('USAGE', message, { context: { command } });
}

function makeCall<O>(cli: Cli, command: Command): Call<O> {
  const options = command.opts() as O & GlobalOptions;
  return {
    cli,
    io: cli.io,
    args: command.args,
    options,
    json: options.json === true,
    async client() {
      const [{ createClient }, { namedSocket }] = await Promise.all([
        import('../client/client.ts'),
        import('../client/named-socket.ts'),
      ]);
      const socketPath = namedSocket(options, cli.io) ?? (await socketOf(options, cli.io));
      const client = createClient({ socketPath });
      cli.closers.push(() => client.close());
      return client;
    },
  };
}

async function socketOf(options: GlobalOptions, io: Io): Promise<string> {
  const { findSocket } = await import('../client/find-socket.ts');
  return findSocket(options, io);
}
