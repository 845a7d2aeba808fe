/** Short tasks by the CLI, one after the other by each of some clients; what comes back is compared with what must. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDaemon } from '../daemon.ts';

export interface Load {
  clients: number;
  image: string;
  /** Asked before each task. */
  goesOn: (begun: number) => boolean;
}

interface Ground {
  daemon: TestDaemon;
  image: string;
  /** Of all tasks of the daemon. */
  number: number;
}

const WORDS = 'a few words, the same each time\n';

/** In turn: every task is one of these. */
const KINDS = [printing, failing, withFiles, cancelled];

/** Resolves with how many tasks there were, all of them as they had to be. `from` were there before. */
export async function loadDaemon(daemon: TestDaemon, load: Load, from: number): Promise<number> {
  let begun = 0;
  const failures: unknown[] = [];
  const client = async (): Promise<void> => {
    while (failures.length === 0 && load.goesOn(begun)) {
      const number = from + begun;
      begun += 1;
      await KINDS[number % KINDS.length]?.({ daemon, image: load.image, number });
    }
  };
  // a client that is left alone would go on asking for a daemon that is gone
  const clients = Array.from({ length: load.clients }, () =>
    client().catch((error: unknown) => failures.push(error)),
  );
  await Promise.all(clients);
  if (failures.length > 0) throw failures[0];
  return begun;
}

async function printing({ daemon, image, number }: Ground): Promise<void> {
  const text = `echo out ${number}; echo err ${number} >&2`;
  const ran = await daemon.cli('run', image, '--', 'sh', '-c', text);
  demand(ran, { code: 0, stdout: `out ${number}\n` });
  // words of our own may come before, of a host that is busy
  if (!ran.stderr.endsWith(`err ${number}\n`)) throw new Error(`on stderr came ${ran.stderr}`);
}

/** Its directory would be kept for days. */
async function failing({ daemon, image }: Ground): Promise<void> {
  const ran = await daemon.cli('run', '--cleanup', 'always', image, '--', 'sh', '-c', 'exit 7');
  demand(ran, { code: 7, stdout: '' });
}

/** The same input each time: another one would be kept on the host for an hour at least. */
async function withFiles({ daemon, image, number }: Ground): Promise<void> {
  const input = join(daemon.dir, `soak-input-${number}`);
  const output = join(daemon.dir, `soak-output-${number}`);
  writeFileSync(input, WORDS);
  const files = ['--input', `${input}:words`, '--output', `result:${output}`];
  const text = 'cat /mnt/task/inputs/words >result';
  const ran = await daemon.cli('run', ...files, image, '--', 'sh', '-c', text);
  demand(ran, { code: 0, stdout: '' });
  const landed = readFileSync(output, 'utf8');
  if (landed !== WORDS) throw new Error(`an output came as ${JSON.stringify(landed)}`);
  for (const path of [input, output]) rmSync(path);
}

async function cancelled({ daemon, image }: Ground): Promise<void> {
  const id = await daemon.submit('--cleanup', 'always', image, '--', 'sleep', '600');
  demand(await daemon.cli('cancel', id), { code: 0 });
  demand(await daemon.cli('wait', id), { code: 3 });
}

type Ran = Awaited<ReturnType<TestDaemon['cli']>>;

function demand(ran: Ran, wanted: Partial<Ran>): void {
  for (const [key, value] of Object.entries(wanted))
    if (ran[key as keyof Ran] !== value)
      throw new Error(`${key} is not ${JSON.stringify(value)}: ${JSON.stringify(ran)}`);
}
