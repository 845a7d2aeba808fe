/** Real ssh-agents of a test's own, and sockets that only look like one. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { until } from './until.ts';

export interface TestAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

/** An agent that holds the keys of these files, in this order. */
export async function startAgent(socket: string, keyFiles: readonly string[]): Promise<TestAgent> {
  const child: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  await until(() => existsSync(socket));
  for (const file of keyFiles) {
    execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  }
  return {
    socket,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** Takes connections and never says a word. */
export async function startSilentAgent(socket: string): Promise<TestAgent> {
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of open) connection.destroy();
      }),
  };
}
