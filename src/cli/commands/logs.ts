/** towline logs: what a task printed, byte for byte. */
import type { Command } from 'commander';
import type { StreamName } from '../../domain/task.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import type { Sink } from '../io.ts';

interface LogsOptions {
  follow?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  runtime?: boolean;
  attempt?: string;
  raw?: boolean;
}

const DESCRIPTION = `Print what a task printed: its stdout to stdout, its stderr to stderr, byte for byte.

With --stderr or --runtime alone that stream goes to stdout. On a terminal control characters are
shown as \\xNN unless --raw is given.`;

export function addLogs(program: Command, cli: Cli): void {
  const command = program
    .command('logs')
    .summary('print the output of a task')
    .description(DESCRIPTION)
    .argument('<id>', 'id of a task, or its beginning')
    .option('-f, --follow', 'go on until the streams are complete')
    .option('--stdout', 'only stdout')
    .option('--stderr', 'only stderr')
    .option('--runtime', 'the words of the container runtime')
    .option('--attempt <n>', 'of this attempt; default: the last')
    .option('--raw', 'leave control characters as they are, also on a terminal');
  onAction<LogsOptions>(command, cli, (call) => printLogs(call));
}

async function printLogs(call: Call<LogsOptions>): Promise<void> {
  const client = await call.client();
  const { follow = false, attempt, raw = false } = call.options;
  const options = { follow, attempt: attempt === undefined ? undefined : Number(attempt) };
  await Promise.all(
    wantedStreams(call).map(async ([stream, sink]) => {
      const print = printer(sink, raw);
      for await (const chunk of client.logs(call.args[0] ?? '', stream, options))
        await print(chunk);
    }),
  );
}

function wantedStreams({ options, io }: Call<LogsOptions>): [StreamName | 'runtime', Sink][] {
  const { stdout = false, stderr = false, runtime = false } = options;
  if (runtime && (stdout || stderr)) usage('logs', '--runtime goes alone');
  if (runtime) return [['runtime', io.out]];
  if (stderr && !stdout) return [['stderr', io.out]];
  if (stdout && !stderr) return [['stdout', io.out]];
  return [
    ['stdout', io.out],
    ['stderr', io.err],
  ];
}

/** Bytes as they are; on a terminal, text without what could command it. */
function printer(sink: Sink, raw: boolean): (chunk: Buffer) => Promise<void> {
  if (raw || !sink.isTTY) return (chunk) => sink.write(chunk);
  const decoder = new TextDecoder();
  return async (chunk) => {
    const { escapeControls } = await import('../output/text.ts');
    await sink.write(escapeControls(decoder.decode(chunk, { stream: true })));
  };
}
