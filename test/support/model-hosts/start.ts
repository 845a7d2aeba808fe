/**
 * Hosts that are models, as many as wanted: real SSH to a process on loopback, where each has a user of its own and
 * answers from memory. What a host does with a text (forks, files, containers) costs nothing there, and nothing is printed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKeyPair } from '../ssh-keys.ts';
import { rootOf } from './model-account.ts';

export type Order = 'end' | 'count';
export type Said = { port: number } | Counts;

interface Counts {
  /** Attempts of all hosts. */
  running: number;
  kept: number;
  logins: number;
  /** Most that were in the middle of a login. */
  loginsAtOnce: number;
  /** Most that were open to one host. */
  channelsAtOnce: number;
}

export interface ModelHosts extends AsyncDisposable {
  names: string[];
  /** Their sections of the configuration. */
  config: string;
  count(): Promise<Counts>;
  /** Every attempt that runs has ended well. */
  endAll(): Promise<void>;
}

/** An image that all of them have. */
export const MODEL_IMAGE = '/images/model.sif';

/** A socket at each end, and some more. */
const FILES_EACH = 2;
const FILES_MORE = 200;

export async function startModelHosts(
  count: number,
  keys: Record<string, string> = {},
): Promise<ModelHosts> {
  demandFiles(count * FILES_EACH + FILES_MORE);
  const dir = mkdtempSync(join(tmpdir(), 'towline-models-'));
  const [hostKey, userKey] = await Promise.all(
    ['host', 'user'].map((name) => makeKeyPair(join(dir, name))),
  );
  if (hostKey === undefined || userKey === undefined) throw new Error('no keys');
  const program = join(import.meta.dirname, 'server.ts');
  const child = fork(program, [hostKey.path, `${userKey.path}.pub`], { execArgv: [] });
  const { port } = (await answerOf(child)) as { port: number };
  writeFileSync(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  const names = Array.from({ length: count }, (_, n) => `model${n}`);
  const section = (name: string): string =>
    Object.entries({
      ...{ hostname: '127.0.0.1', port, user: name, identity_file: userKey.path },
      ...{ known_hosts: join(dir, 'known_hosts'), root: rootOf(name), ...keys },
    }).reduce((text, [key, value]) => `${text}\n${key} = ${value}`, `[host.${name}]`);
  const ask = async (order: Order): Promise<Counts> => {
    const answer = answerOf(child);
    child.send(order);
    return (await answer) as Counts;
  };
  return {
    names,
    config: names.map(section).join('\n'),
    count: () => ask('count'),
    endAll: async () => void (await ask('end')),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      if (child.connected) child.disconnect();
      if (child.exitCode === null) await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** @throws when the process ends instead; why stands on stderr */
async function answerOf(child: ChildProcess): Promise<Said> {
  const over = new AbortController();
  const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`the model hosts ended with ${code}`);
  });
  try {
    const [said] = await Promise.race([once(child, 'message', { signal: over.signal }), ended]);
    return said as Said;
  } finally {
    over.abort();
    ended.catch(() => {});
  }
}

function demandFiles(wanted: number): void {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  if (most < wanted) throw new Error(`ulimit -n is ${most}, ${wanted} are needed`);
}
