/** From the start of a command to the first byte of its output that somebody sees who follows it, against `ssh host`. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { MINI } from '../../test/support/bed.ts';
import { makeDaemon } from '../../test/support/daemon.ts';
import { median, type Scenario } from './compare.ts';
import { openSsh } from './plain-ssh.ts';
import type { Size, Sized } from './size.ts';

const LINES: Sized<number> = { whole: 20, short: 4 };
/** Lines come with a pause, each with the time of the host, which is the clock of the bed. */
const printing = (lines: number): string =>
  `i=0; while [ $i -lt ${lines} ]; do date +%s%N; i=$((i+1)); sleep 0.2; done`;

export async function openFirstByte(size: Size): Promise<Scenario> {
  const lines = LINES[size];
  const print = printing(lines);
  const daemon = makeDaemon();
  await daemon.start();
  const ssh = await openSsh(daemon.dir);
  const late = { ours: [] as number[], theirs: [] as number[] };
  const follow = async (): Promise<ChildProcess> => {
    const id = await daemon.submit('--host', 'vm', MINI, '--', 'sh', '-c', print);
    return daemon.spawnCli(['logs', '--follow', '--stdout', id]);
  };
  return {
    ours: {
      label: `\`towline logs --follow\`, ${lines} lines`,
      run: async () => void late.ours.push(...(await lateness(await follow(), lines))),
    },
    theirs: {
      label: `\`ssh host\`, ${lines} lines`,
      run: async () => void late.theirs.push(...(await lateness(ssh.spawn(print), lines))),
    },
    async parts() {
      const text = (all: number[]): string =>
        `${median(all).toFixed(0)} ms (${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)})`;
      return {
        'a line is seen after, Towline': text(late.ours),
        'a line is seen after, `ssh`': text(late.theirs),
        'more (of the medians)': `${(median(late.ours) - median(late.theirs)).toFixed(0)} ms; aim: at most 150 ms`,
      };
    },
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}

/** Milliseconds from when each line was printed to when it was seen; what came together in the beginning counts once. */
async function lateness(child: ChildProcess, wanted: number): Promise<number[]> {
  const late: number[] = [];
  let lines = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    const seenAt = Date.now();
    const times = chunk.toString().trim().split('\n');
    lines += times.length;
    late.push(seenAt - Number(times.at(-1)) / 1e6);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || lines !== wanted) throw new Error(`ended with ${code} after ${lines} lines`);
  return late;
}
