/** What a walk looks at from outside Towline: starts, bytes, and whether anything is left. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamName } from '../../../src/domain/task.ts';
import { onHost } from '../../support/bed.ts';
import { living } from '../../support/crash-task.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import type { Ask } from './lives.ts';

/** All bytes of a stream, as the daemon keeps them. */
export function streamOf(ask: Ask, id: string, stream: StreamName): Promise<string> {
  return ask(async (client) => {
    const chunks: Buffer[] = [];
    for await (const chunk of client.logs(id, stream)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  });
}

/** A follower that was there from the beginning: what it has seen in the end. */
export function followed(ask: Ask, id: string, stream: StreamName): Promise<string> {
  return ask(async (client) => {
    let seen = '';
    // A first call that finds nobody fails at once; later it reconnects by itself.
    for await (const chunk of client.logs(id, stream, { follow: true })) seen += chunk.toString();
    return seen;
  });
}

/** What of tasks is left below the remote root, but for the marks of what ended, and their processes. */
export async function leftOnHost(
  daemon: TestDaemon,
  tokens: readonly string[],
  on: 'vm' | 'hpc' = 'vm',
): Promise<string> {
  const look = `[ -d "$0" ] || exit 0
find "$0" -path "$0/tasks/*/*" -not -path '*/.ended*' -not -path '*/.jobs' -o -path "$0/store/.*/*" -o -path "$0/images/.*" -not -name '.used.*'`;
  const files = await onHost(on, 'sh', '-c', look, daemon.root);
  if (on === 'hpc') return files + (await leftOnCluster(tokens));
  const processes = await Promise.all(tokens.map((token) => living(token)));
  return files + processes.join('');
}

const CLUSTER_HOSTS = ['hpc', 'hpcn1', 'hpcn2'] as const;

/** A job ends a moment after the attempt that it ran, so that is waited for; what then is left is told. */
async function leftOnCluster(tokens: readonly string[]): Promise<string> {
  let left = '';
  const isClean = async (): Promise<boolean> => {
    const queued = tokens.map((token) => onHost('hpc', 'sh', '-c', QUEUED, token));
    const processes = CLUSTER_HOSTS.flatMap((host) =>
      tokens.map(async (token) => {
        const found = await living(token, host);
        return found === '' ? '' : `${host}: ${found}`;
      }),
    );
    left = (await Promise.all([...queued, ...processes])).join('');
    return left === '';
  };
  await until(isClean, undefined, CLUSTER_CLEAN_MS).catch((error: unknown) => {
    if (left === '') throw error;
  });
  return left;
}

/** Jobs whose name carries the attempt, and that Slurm still has to do with. */
const QUEUED = `squeue -h -o '%i %j %T' | grep -F -e "$0" || :`;
const CLUSTER_CLEAN_MS = 20_000;

/** Nothing half is left on this machine: neither beside the outputs nor in the state directory. */
export function assertNothingHalf(daemon: TestDaemon, directories: readonly string[]): void {
  for (const directory of directories.filter(existsSync)) {
    const half = readdirSync(directory).filter((name) => name.startsWith('.towline-'));
    assert.deepEqual(half, [], `half outputs in ${directory}`);
  }
  const state = readdirSync(daemon.stateDir, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    state.filter((name) => name.endsWith('.tmp')),
    [],
    'temporary files in the state directory',
  );
}

export const outputDirectory = (daemon: TestDaemon): string => join(daemon.dir, 'out');
