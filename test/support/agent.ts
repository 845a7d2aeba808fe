/** A real ssh-agent with the keys a test gives it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

export interface Agent extends AsyncDisposable {
  /** For identity_agent or SSH_AUTH_SOCK. */
  readonly socket: string;
  /** Adds keys behind those it has. */
  add(...keys: string[]): Promise<void>;
  /** Ends it; its socket is gone. */
  stop(): Promise<void>;
}

/** Starts one that offers the keys (paths of private keys without passphrase) in this order. */
export async function startAgent(keys: readonly string[] = []): Promise<Agent> {
  const directory = mkdtempSync(join(tmpdir(), 'towline-agent-'));
  const socket = join(directory, 'agent.sock');
  // Ends with our end of the pipe, so also when the test is killed.
  const command = 'ssh-agent -D -a "$0" & cat; kill "$!"; wait';
  const child = spawn('/bin/sh', ['-c', command, socket], { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin.on('error', () => {});
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const add = async (...more: string[]): Promise<void> => {
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' };
    for (const path of more) await run('ssh-add', ['-q', path], { env });
  };
  try {
    await until(
      () => answers(socket),
      () => `ssh-agent on ${socket}`,
      5_000,
    );
    await add(...keys);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, add, stop, [Symbol.asyncDispose]: stop };
}

/** The socket is there a moment before anybody listens on it. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const settle = (listens: boolean): void => {
      connection.destroy();
      resolve(listens);
    };
    connection.once('connect', () => settle(true));
    connection.once('error', () => settle(false));
  });
}
