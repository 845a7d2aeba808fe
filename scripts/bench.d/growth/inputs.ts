/** A directory as input of a task, from one file to ten thousand. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SSH_PORT } from '../../../test/support/bed.ts';
import { median } from '../compare.ts';
import { startOurs } from '../staging-ours.ts';
import type { Growth } from './growth.ts';

const COUNTS = [1, 10, 100, 1_000, 10_000];
const FILE_BYTES = 4_096;
/** The largest takes long enough to be told from chance in one. */
const ROUNDS = 3;
const MANY = 5_000;

export async function growInputs(): Promise<Growth> {
  const dir = mkdtempSync(join(tmpdir(), 'towline-bench-growth-'));
  await using ours = await startOurs(Number(SSH_PORT));
  try {
    const points = [];
    for (const at of COUNTS) {
      const rounds: number[][] = [];
      for (let round = 0; round < (at < MANY ? ROUNDS : 1); round += 1) {
        const tree = join(dir, `tree-${at}-${round}`);
        makeTree(tree, at);
        const first = await ours.stage(tree, 'true', false);
        const again = await ours.stage(tree, 'true', false);
        rounds.push([first.upMs, again.upMs, first.bytesSent, again.bytesSent]);
      }
      const values = [0, 1, 2, 3].map((n) => median(rounds.map((round) => round[n] ?? Number.NaN)));
      points.push({ at, values });
    }
    return {
      name: 'growth-inputs',
      what: 'A directory of files of 4 KiB as input of a task, from its place on the host to all inputs there; then the same once more. The bytes are all that was sent for the task.',
      along: { label: 'files', unit: 'count' },
      series: [
        { label: 'stage-in', unit: 'ms' },
        { label: 'stage-in, unchanged', unit: 'ms' },
        { label: 'bytes sent', unit: 'bytes' },
        { label: 'bytes sent, unchanged', unit: 'bytes' },
      ],
      points,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Thirty directories at most. */
function makeTree(path: string, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const directory = join(path, `d${n % 30}`);
    if (n < 30) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${n}`), randomBytes(FILE_BYTES));
  }
}
