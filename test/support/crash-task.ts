/**
 * One realistic task for crash tests, and what must be true of it in the end as seen from outside
 * Towline: the payload's own ledger, the runtime's count of starts, hashes of known bytes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { BED, type BedHost, MINI, onHost } from './bed.ts';
import type { TestDaemon } from './daemon.ts';
import type { ComputeNode } from './slurm/cluster.ts';
import { until } from './until.ts';

/** Keys of [host.vm] with which every start of the runtime is counted. */
export const COUNTED = { runtime: '/opt/counting/apptainer' };

const LEDGER = join(BED, 'ledger');

export interface CrashTask {
  /** Arguments of `towline submit`. */
  args: string[];
  /** Waits for the end of what was submitted as `id`, then looks at every oracle. */
  expectOneWholeRun(id: string): Promise<void>;
}

/** A file outside Towline in which a payload notes that it was started. */
export interface StartLedger {
  /** Arguments of `towline submit`. */
  args: string[];
  /** The payload's first line. */
  line: string;
  /** One line for each start: the attempt. */
  starts(): string[];
  remove(): void;
}

export function startLedger(daemon: TestDaemon): StartLedger {
  const name = `starts-${basename(daemon.dir)}`;
  const file = join(LEDGER, name);
  return {
    args: ['--bind', '/ledger:/ledger'],
    line: `echo "$TOWLINE_ATTEMPT" >>/ledger/${name}`,
    starts: () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []),
    remove: () => rmSync(file, { force: true }),
  };
}

/** Stages an input, prints on both streams for `seconds`, computes from the input, is collected. */
export function crashTask(daemon: TestDaemon, seconds: number, image = MINI): CrashTask {
  const ledger = startLedger(daemon);
  const input = randomBytes(48_000);
  const local = join(daemon.dir, 'result.txt');
  writeFileSync(join(daemon.dir, 'words'), input);
  const payload = `${ledger.line}
for i in 1 2 3 4; do echo "line $i"; echo "remark $i" >&2; sleep ${seconds / 4}; done
sha256sum </mnt/task/inputs/words >result.txt; printf 'no newline'`;
  const streams = {
    stdout: `${[1, 2, 3, 4].map((i) => `line ${i}\n`).join('')}no newline`,
    stderr: [1, 2, 3, 4].map((i) => `remark ${i}\n`).join(''),
  };

  return {
    args: [
      ...['--host', 'vm', ...ledger.args, '--idempotency-key', 'once'],
      ...['--input', join(daemon.dir, 'words'), '--output', `result.txt:${local}`],
      ...[image, '--', 'sh', '-c', payload],
    ],
    async expectOneWholeRun(id) {
      const waited = await daemon.cli('wait', id);
      expect(`${waited.stdout}${waited.stderr}`).toBe(`${id} succeeded 0\n`);
      await until(() => stored(daemon, id)?.cleanup === 'done');
      expect(stored(daemon, id)).toMatchObject({ kind: 'succeeded', attempt: 1 });
      expect(ledger.starts()).toEqual([`${id}.1`]);
      expect(runtimeStarts(`${id}.1`)).toBe(1);
      const { stdout, stderr } = await daemon.cli('logs', id);
      expect({ stdout: sha256(stdout), stderr: sha256(stderr) }).toEqual({
        stdout: sha256(streams.stdout),
        stderr: sha256(streams.stderr),
      });
      expect(readFileSync(local, 'utf8')).toBe(`${sha256(input)}  -\n`);
      expect(await remains(daemon, `${id}.1`)).toBe('');
      ledger.remove();
    },
  };
}

/** How often the runtime was started for an attempt, by the count of the runtime itself. */
export function runtimeStarts(token: string): number {
  return countOf('runtime-exec.log', `/${token}/`);
}

/** How often the runtime was told to pull an image, by its end. */
export function runtimePulls(image: string): number {
  return countOf('runtime-pull.log', `/${image}`);
}

function countOf(name: string, words: string): number {
  const log = join(LEDGER, name);
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  return lines.filter((line) => line.includes(words)).length;
}

interface StoredState {
  kind: string;
  attempt: number;
  cleanup?: string;
  launch?: { pid: number };
  blocked?: { reason: string };
}

/** A task's state as the database has it, read from outside; undefined when there is no such task. */
export function stored(daemon: TestDaemon, id: string): StoredState | undefined {
  const db = new DatabaseSync(join(daemon.stateDir, 'towline.sqlite'), {
    readOnly: true,
    timeout: 10_000,
  });
  try {
    const row = db.prepare('SELECT state FROM tasks WHERE id = ?').get(id);
    return row === undefined ? undefined : JSON.parse(String(row['state']));
  } finally {
    db.close();
  }
}

/** The states of all tasks in the database. */
export function storedStates(daemon: TestDaemon): string[] {
  using db = new DatabaseSync(join(daemon.stateDir, 'towline.sqlite'), {
    readOnly: true,
    timeout: 10_000,
  });
  const rows = db.prepare('SELECT state FROM tasks').all();
  return rows.map((row) => (JSON.parse(String(row['state'])) as StoredState).kind);
}

/** The directory and the processes that carry an attempt's name on the host, one a line. */
export async function remains(daemon: TestDaemon, token: string): Promise<string> {
  const directory = `find ${daemon.root}/tasks -mindepth 2 -maxdepth 2 -name ${token}`;
  return (await onHost('vm', 'sh', '-c', directory)) + (await living(token));
}

/** The processes that carry an attempt's name in their environment, or that of its job, one a line. */
export function living(token: string, on: BedHost | ComputeNode = 'vm'): Promise<string> {
  const look = `grep -lzas -e 'TOWLINE_[A-Z]*=${token}$' -e '^SLURM_JOB_NAME=.*${token}' /proc/[0-9]*/environ; true`;
  return onHost(on, 'sh', '-c', look);
}

/** Waits until the daemon was ended by its fault point. */
export async function killedBy(daemon: TestDaemon, point: string): Promise<void> {
  await until(
    () => daemon.log().includes(`fault point ${point} reached`) && !isAlive(daemon.pid()),
    () => `killed at ${point}; the log is ${daemon.log()}`,
  );
}

/** Waits until the daemon is held, or pauses, at its fault point. */
export async function heldAt(
  daemon: TestDaemon,
  point: string,
  act: 'hold' | 'pause' = 'hold',
): Promise<void> {
  await until(
    () => daemon.log().includes(`fault point ${point} reached (${act})`),
    () => `held at ${point}; the log is ${daemon.log()}`,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
