/**
 * The Unix socket. The directory it lies in is the gate: ours alone, or we do not listen. A socket
 * file that nobody answers on is a leftover and is removed; anything else is left alone.
 */
import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../domain/failure.ts';

/** Linux keeps the path in 108 bytes with its closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const DIAL_TIMEOUT_MS = 2000;

/**
 * Listens on the socket, which only the owner of the process can reach.
 * @throws DAEMON_SOCKET_INVALID DAEMON_ALREADY_RUNNING
 */
export async function listen(api: FastifyInstance, socketPath: string): Promise<void> {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    throw invalid(socketPath, `its path is ${bytes} bytes long; at most ${SOCKET_PATH_BYTES_MAX}`);
  }
  preparePrivateDirectory(dirname(socketPath), socketPath);
  await removeStale(socketPath);
  // Node creates the file with the mode the umask leaves; the directory is the gate, this is the lock.
  const before = process.umask(0o077);
  try {
    await api.listen({ path: socketPath });
  } catch (error) {
    throw listenFailed(socketPath, error);
  } finally {
    process.umask(before);
  }
}

function preparePrivateDirectory(directory: string, socketPath: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw invalid(socketPath, `its directory cannot be made: ${(error as Error).message}`);
  }
  const info = lstatSync(directory);
  if (!info.isDirectory()) throw invalid(socketPath, `${directory} is not a directory`);
  if (info.uid !== process.getuid?.()) {
    throw invalid(socketPath, `${directory} belongs to another user (uid ${info.uid})`);
  }
  if ((info.mode & 0o077) !== 0) {
    const mode = (info.mode & 0o777).toString(8);
    throw invalid(socketPath, `${directory} has mode ${mode}; others must not reach it: chmod 700`);
  }
}

/** Dials before removing: a socket that answers belongs to a living daemon. */
async function removeStale(socketPath: string): Promise<void> {
  const info = lstatSync(socketPath, { throwIfNoEntry: false });
  if (info === undefined) return;
  if (!info.isSocket()) throw invalid(socketPath, 'something that is not a socket is there');
  if (await answers(socketPath)) {
    throw new AppError('DAEMON_ALREADY_RUNNING', `a daemon answers on ${socketPath}`, {
      context: { socket: socketPath },
    });
  }
  unlinkSync(socketPath);
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // A full backlog or a stopped process is still somebody.
    socket.setTimeout(DIAL_TIMEOUT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') settle(false);
      else reject(invalid(socketPath, `it cannot be dialled: ${error.message}`));
    });
  });
}

function listenFailed(socketPath: string, error: unknown): AppError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new AppError('DAEMON_ALREADY_RUNNING', `another daemon took ${socketPath} just now`, {
      context: { socket: socketPath },
      cause: error,
    });
  }
  return invalid(socketPath, message);
}

function invalid(socketPath: string, reason: string): AppError {
  return new AppError('DAEMON_SOCKET_INVALID', `cannot listen on ${socketPath}: ${reason}`, {
    context: { socket: socketPath },
  });
}
