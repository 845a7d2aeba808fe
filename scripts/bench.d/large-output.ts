/** One task that prints 1 GiB, to the last byte seen by a follower, against `ssh host cat` of the same file. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { MINI, onHost } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import type { Scenario } from './compare.ts';
import { openSsh } from './plain-ssh.ts';
import type { Size, Sized } from './size.ts';

const BYTES: Sized<number> = { whole: 1024 ** 3, short: 8 << 20 };
const FILE = '/tmp/towline-bench-output';

export async function openLargeOutput(size: Size): Promise<Scenario> {
  const bytes = BYTES[size];
  const daemon = makeDaemon();
  await daemon.start();
  const ssh = await openSsh(daemon.dir);
  await onHost('vm', 'sh', '-c', `head -c ${bytes} /dev/urandom >${FILE}; chmod 644 ${FILE}`);
  const most: number[] = [];
  const ours = async (): Promise<void> => {
    const words = ['--host', 'vm', '--bind', `${FILE}:/data:ro`, MINI, '--', 'cat', '/data'];
    const watch = setInterval(() => most.push(residentMegabytes(daemon)), 50);
    await allBytes(daemon.spawnCli(['run', ...words]), bytes).finally(() => clearInterval(watch));
  };
  return {
    ours: { label: '`towline run … -- cat`', run: ours },
    theirs: { label: '`ssh host cat`', run: () => allBytes(ssh.spawn('cat', FILE), bytes) },
    parts: async () => ({
      'most resident in the daemon': `${Math.max(...most).toFixed(0)} MB`,
      bytes: String(bytes),
    }),
    async [Symbol.asyncDispose]() {
      await onHost('vm', 'rm', '-f', FILE);
      await ssh[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}

async function allBytes(child: ChildProcess, wanted: number): Promise<void> {
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || bytes !== wanted) throw new Error(`ended with ${code} after ${bytes} bytes`);
}

function residentMegabytes(daemon: TestDaemon): number {
  const status = readFileSync(`/proc/${daemon.pid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
