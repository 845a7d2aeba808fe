/**
 * Inputs and outputs of a task against the plain tools: one large file, and a tree of many small ones, up, down and
 * up again, on a short link and with a delay. All use links that are open already (ControlMaster), and fresh
 * content each round. Ours is what the daemon's own events say, commits, hash checks and syncs included.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SSH_PORT } from '../../test/support/bed.ts';
import { startSlowLink } from '../../test/support/faults/slow-link.ts';
import {
  hold,
  type RaceOptions,
  type RaceResult,
  type Racer,
  resultOf,
  type Table,
} from './race.ts';
import type { Rounds } from './rounds.ts';
import type { Size, Sized } from './size.ts';
import { type Ours, startOurs } from './staging-ours.ts';
import { TOOLS, type Tool, type Tools, toolsOver } from './staging-tools.ts';

const execute = promisify(execFile);

/** Over a far link tools that go file by file take a second for four of them: with 3,000 a round would take an hour. */
const WHAT: Sized<{ largeMib: number; files: number; farFiles: number }> = {
  whole: { largeMib: 1_024, files: 3_000, farFiles: 300 },
  short: { largeMib: 16, files: 60, farFiles: 6 },
};
const FILE_BYTES = 4_096;
/** Half of it in each direction. */
const DELAY_MS = 50;
/** The large file takes so long that three rounds must do. */
const LARGE_ROUNDS = 3;

interface Ground {
  /** Local directory with `tree` and `large`. */
  dir: string;
  /** What is said of the link in the names of the races. */
  link: string;
  ours: Ours;
  tools: Tools;
  /** Over a far link, tools that go file by file are given one round. */
  far: boolean;
  size: Size;
}

type Part = (ground: Ground, rounds: Rounds) => AsyncIterable<RaceResult>;

/** The four of them; each can be run alone. */
export const STAGING_RACES: Readonly<
  Record<string, (options: RaceOptions) => AsyncIterable<RaceResult>>
> = {
  'staging-tree': (options) => raceOn(0, raceTree, options),
  'staging-large': (options) => raceOn(0, raceLarge, few(options)),
  'staging-far-tree': (options) => raceOn(DELAY_MS, raceTree, options),
  'staging-far-large': (options) => raceOn(DELAY_MS, raceLarge, few(options)),
};

function few(options: RaceOptions): RaceOptions {
  const { most, withinMs } = options.rounds;
  return { ...options, rounds: { most: Math.min(most, LARGE_ROUNDS), withinMs } };
}

async function* raceOn(
  delayMs: number,
  race: Part,
  { rounds, size }: RaceOptions,
): AsyncGenerator<RaceResult> {
  const dir = mkdtempSync(join(tmpdir(), 'towline-bench-staging-'));
  try {
    await using slow = await startSlowLink(Number(SSH_PORT), {
      ...{ delayMs: delayMs / 2, heldBytes: 64 << 20, pieceBytes: 1 << 20 },
    });
    const far = delayMs > 0;
    const port = far ? slow.port : Number(SSH_PORT);
    await using ours = await startOurs(port);
    await using tools = await toolsOver(port, dir);
    const link = far ? `, ${DELAY_MS} ms of added latency` : '';
    yield* race({ dir, link, ours, tools, far, size }, rounds);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Dirty pages of one are not written in the time of the next. */
async function quietDisk(): Promise<void> {
  await execute('sync');
}

async function* raceTree(ground: Ground, rounds: Rounds): AsyncGenerator<RaceResult> {
  const { dir, link, ours, tools, far, size } = ground;
  const local = join(dir, 'tree');
  const count = WHAT[size][far ? 'farFiles' : 'files'];
  let sent = 0;
  const times = await hold({
    rounds,
    before: async () => {
      makeTree(local, count);
      await tools.clear();
    },
    racers: [
      {
        label: US,
        async run() {
          await quietDisk();
          const { upMs, downMs } = await ours.stage(local, 'cp -r /mnt/task/inputs/tree out', true);
          await quietDisk();
          const again = await ours.stage(local, 'true', false);
          sent = Math.max(sent, again.bytesSent);
          return { up: upMs, down: downMs, again: again.upMs };
        },
      },
      toolRacer(tools, 'tar', 'tree'),
      {
        ...toolRacer(tools, 'rsync', 'tree'),
        async run(round) {
          const laps = await toolRacer(tools, 'rsync', 'tree').run(round);
          await quietDisk();
          return { ...laps, again: await tools.up('rsync', 'tree') };
        },
      },
      { ...toolRacer(tools, 'scp', 'tree'), rounds: far ? 1 : rounds.most },
      { ...toolRacer(tools, 'sftp', 'tree'), rounds: far ? 1 : rounds.most },
    ],
  });
  const all = [US, ...TOOLS];
  const files = `${count} files of 4 KiB`;
  yield resultOf(times, { name: `staging, ${files} up${link}`, entries: entries(all, 'up') });
  yield resultOf(times, {
    name: `staging, the same tree again unchanged${link}`,
    entries: [
      { label: US, lap: 'again' },
      { label: 'rsync', lap: 'up', title: 'rsync, its first copy' },
      { label: 'rsync', lap: 'again' },
    ],
    notes: [
      `Towline sent ${sent} bytes for it at most: the question what is there, and its own protocol.`,
    ],
  });
  yield resultOf(times, { name: `staging, ${files} down${link}`, entries: entries(all, 'down') });
}

async function* raceLarge(ground: Ground, rounds: Rounds): AsyncGenerator<RaceResult> {
  const { dir, link, ours, tools, size } = ground;
  const local = join(dir, 'large');
  const { largeMib } = WHAT[size];
  const times = await hold({
    rounds,
    before: async () => {
      makeLarge(local, largeMib);
      await tools.clear();
    },
    racers: [
      {
        label: US,
        async run() {
          await quietDisk();
          const { upMs, downMs } = await ours.stage(local, 'cp /mnt/task/inputs/large out', true);
          return { up: upMs, down: downMs };
        },
      },
      ...TOOLS.map((tool) => toolRacer(tools, tool, 'large')),
    ],
  });
  const all = [US, 'sftp', 'scp', 'rsync', 'tar'];
  const name = `staging, one file of ${size === 'whole' ? '1 GiB' : `${largeMib} MiB`}`;
  yield resultOf(times, { name: `${name} up${link}`, entries: entries(all, 'up') });
  yield resultOf(times, { name: `${name} down${link}`, entries: entries(all, 'down') });
}

const US = 'Towline';

function entries(labels: readonly string[], lap: string): Table['entries'] {
  return labels.map((label) => ({ label, lap }));
}

function toolRacer(tools: Tools, tool: Tool, name: string): Racer {
  return {
    label: tool,
    async run() {
      await quietDisk();
      const up = await tools.up(tool, name);
      await quietDisk();
      return { up, down: await tools.down(tool, name) };
    },
  };
}

/** In thirty directories. */
function makeTree(path: string, count: number): void {
  rmSync(path, { recursive: true, force: true });
  for (let n = 0; n < count; n += 1) {
    const directory = join(path, `d${n % 30}`);
    if (n < 30) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${n}`), randomBytes(FILE_BYTES));
  }
}

function makeLarge(path: string, mib: number): void {
  const file = openSync(path, 'w');
  for (let written = 0; written < mib; written += 16) writeSync(file, randomBytes(16 << 20));
}
