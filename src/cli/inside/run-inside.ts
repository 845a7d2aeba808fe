/** The course of `towline exec` and `towline shell`: our streams are the command's, its code is ours. */
import type { ExecStream } from '../../client/exec.ts';
import type { Call } from '../call.ts';
import { EXIT_HANGUP, EXIT_NOT_THE_COMMANDS } from '../exit-codes.ts';
import { escapeControls } from '../output/text.ts';
import { onResize, takeTerminal, terminalSize } from './terminal.ts';

export interface Wish {
  id: string;
  command: string[];
  tty: boolean;
  /** False: the command gets no stdin. */
  stdin: boolean;
}

const TERM_DEFAULT = 'xterm';
const EXIT_TERMINATED = 143;

/** Runs it to its end and gives its exit code. @throws AppError when it cannot be run or followed */
export async function runInside(call: Call, wish: Wish): Promise<number> {
  const client = await call.client();
  const term = /^[A-Za-z0-9._+-]{1,64}$/.exec(call.io.env['TERM'] ?? '')?.[0] ?? TERM_DEFAULT;
  const tty = wish.tty ? { ...terminalSize(), term } : undefined;
  const exec = await client.exec(wish.id, { command: wish.command, tty });
  const giveBack = wish.tty ? takeTerminal() : () => {};
  const stopResize = wish.tty ? onResize((size) => exec.resize(size)) : () => {};
  const signals = forwardSignals(exec, wish.tty);
  if (wish.stdin) void feed(exec);
  else exec.endStdin();
  try {
    return await Promise.race([print(call, exec), signals.left]);
  } finally {
    giveBack();
    stopResize();
    signals.release();
    exec.close();
    process.stdin.pause();
  }
}

async function print({ io }: Call, exec: ExecStream): Promise<number> {
  for await (const event of exec.events()) {
    if (event.kind === 'exit') return event.code;
    if (event.kind === 'note') await io.err.write(`towline: ${escapeControls(event.text)}\n`);
    else await (event.kind === 'stdout' ? io.out : io.err).write(event.bytes);
  }
  return EXIT_NOT_THE_COMMANDS;
}

/** What the command does not read is not read by us either. */
async function feed(exec: ExecStream): Promise<void> {
  try {
    for await (const chunk of process.stdin) await exec.writeStdin(chunk as Buffer);
    exec.endStdin();
  } catch {
    // Our stdin broke, which for the command is its end.
    exec.endStdin();
  }
}

interface Forwarding {
  /** Resolves with our exit code when we are to leave without waiting for the command. */
  left: Promise<number>;
  release(): void;
}

/** Ctrl-C goes to the command; a second one, TERM and a closed terminal end us, and by that the command. */
function forwardSignals(exec: ExecStream, tty: boolean): Forwarding {
  const { promise: left, resolve } = Promise.withResolvers<number>();
  let interrupts = 0;
  const listeners = [
    [
      'SIGINT',
      () => {
        interrupts += 1;
        if (interrupts > 1 || tty) resolve(130);
        else exec.signal('INT');
      },
    ],
    ['SIGQUIT', () => exec.signal('QUIT')],
    ['SIGTERM', () => resolve(EXIT_TERMINATED)],
    ['SIGHUP', () => resolve(EXIT_HANGUP)],
  ] as const;
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    left,
    release: () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}
