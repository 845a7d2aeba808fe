/** A process on a channel of its own, as the RemoteProcess of host.ts. */
import { constants } from 'node:os';
import { AppError } from '../../domain/failure.ts';
import type { ProcessOptions, RemoteProcess } from '../host.ts';
import { watchedElsewhere } from '../settle.ts';
import { startInShell } from '../shell/start-process.ts';
import type { OwnChannel } from './channels.ts';

/** Starts the text on the channel; a channel on which it cannot start is given up. @throws as openProcess */
export async function startSshProcess(
  own: OwnChannel,
  starting: { script: string; options: ProcessOptions; host: string },
): Promise<RemoteProcess> {
  const process = sshProcess(own, starting.host);
  try {
    await Promise.race([startInShell(own.channel, starting), rejectionOf(process.ended)]);
    return process;
  } catch (error) {
    process.close();
    throw error;
  }
}

/** Rejects like the other, and never resolves. */
function rejectionOf(work: Promise<unknown>): Promise<never> {
  return work.then(() => new Promise<never>(() => {}));
}

function sshProcess({ connection, channel }: OwnChannel, host: string): RemoteProcess {
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  watchedElsewhere(ended);
  let code: number | undefined;
  channel.once('exit', (status: number | null, signal?: string) => {
    code = status ?? codeOfSignal(signal ?? '');
  });
  // Before the connection hears it: one that is not needed any more is closed by that.
  channel.prependOnceListener('close', () => {
    // A channel that a broken connection took along may have lost bytes, exit code or not.
    if (code !== undefined && connection.isWhole) {
      resolve(code);
      return;
    }
    // What took the channel along is told by the connection, a moment later.
    setImmediate(() =>
      reject(lost(host, 'the channel of the command was closed and no exit code came')),
    );
  });
  connection.onLost(reject);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    resize: ({ columns, rows }) => channel.setWindow(rows, columns, 0, 0),
    close: () => {
      reject(new AppError('HOST_CALL_ABORTED', `the command on ${host} was let go`));
      connection.abandon(channel);
      // Unread output would keep the channel from closing.
      channel.resume();
      channel.stderr.resume();
    },
  };
}

function lost(host: string, why: string): AppError {
  return new AppError('SSH_CONNECTION_LOST', `connection to host ${host}: ${why}`, {
    context: { host },
  });
}

/** From names like SIGKILL. */
function codeOfSignal(name: string): number {
  return 128 + (constants.signals[name as NodeJS.Signals] ?? 0);
}
