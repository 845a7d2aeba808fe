/** What one task prints, from a kibibyte to a gibibyte. */
import { MINI, onHost } from '../../../test/support/bed.ts';
import { makeDaemon } from '../../../test/support/daemon.ts';
import { highestMemory, memoryNow, printed } from '../../../test/support/memory.ts';
import { median } from '../compare.ts';
import type { Growth } from './growth.ts';

const SIZES = [2 ** 10, 2 ** 15, 2 ** 20, 2 ** 25, 2 ** 30];
const FILE = '/tmp/towline-bench-growth';
/** The largest takes long enough to be told from chance in one. */
const ROUNDS = 3;
const LARGE = 2 ** 28;

export async function growOutput(): Promise<Growth> {
  const most = Math.max(...SIZES);
  await onHost('vm', 'sh', '-c', `head -c ${most} /dev/urandom >${FILE}; chmod 644 ${FILE}`);
  try {
    const points = [];
    for (const at of SIZES) points.push({ at, values: await print(at) });
    return {
      name: 'growth-output',
      what: 'One task that prints random bytes, by `towline run` to the last byte; each size on a daemon of its own that has run a task before.',
      along: { label: 'output', unit: 'bytes' },
      series: [
        { label: 'time of the task', unit: 'ms' },
        { label: 'most resident in the daemon', unit: 'bytes' },
        { label: 'more than before it', unit: 'bytes' },
      ],
      points,
    };
  } finally {
    await onHost('vm', 'rm', '-f', FILE);
  }
}

async function print(bytes: number): Promise<number[]> {
  await using daemon = makeDaemon();
  await daemon.start();
  await daemon.run('true');
  const before = memoryNow(daemon.pid());
  const words = ['--host', 'vm', '--bind', `${FILE}:/data:ro`, '--output-limit', '2GB', MINI, '--'];
  const took: number[] = [];
  for (let round = 0; round < (bytes < LARGE ? ROUNDS : 1); round += 1) {
    const began = performance.now();
    const command = ['head', '-c', String(bytes), '/data'];
    const ran = await printed(daemon.spawnCli(['run', ...words, ...command]));
    took.push(performance.now() - began);
    if (ran.code !== 0 || ran.bytes !== bytes)
      throw new Error(`ended with ${ran.code} after ${ran.bytes} of ${bytes} bytes`);
  }
  const peak = highestMemory(daemon.pid());
  return [median(took), peak, peak - before];
}
