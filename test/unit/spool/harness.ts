/** A spool in a directory of its own, with a clock that only moves when told. */
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { openSpool, type Spool, type SpoolOptions } from '../../../src/spool/spool.ts';

export const T = 'task.1' as AttemptToken;

export class FakeTimer {
  readonly #waiting = new Set<{ delayMs: number; act: () => void }>();

  after(delayMs: number, act: () => void): () => void {
    const entry = { delayMs, act };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** Lets all timers of this delay run out. */
  fire(delayMs: number): void {
    for (const entry of [...this.#waiting]) {
      if (entry.delayMs === delayMs && this.#waiting.delete(entry)) entry.act();
    }
  }

  get count(): number {
    return this.#waiting.size;
  }
}

export const CHECKPOINT_MS = 5_000;
export const IDLE_MS = 10_000;

export interface Harness {
  dir: string;
  timer: FakeTimer;
  open: (options?: Partial<SpoolOptions>) => Spool;
  /** Files of the spool that this process holds open. */
  openFiles: () => string[];
}

/** Every test with it ends with all spools closed, and no file open. */
export async function harness(stateDir?: string): Promise<Harness> {
  const dir = stateDir ?? (await mkdtemp(join(tmpdir(), 'towline-spool-')));
  const timer = new FakeTimer();
  const spools: Spool[] = [];
  const openFiles = () =>
    readdirSync('/proc/self/fd')
      .map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return '';
        }
      })
      .filter((path) => path.startsWith(`${dir}/`));
  onTestFinished(async () => {
    for (const spool of spools) await spool.close();
    expect(openFiles()).toEqual([]);
    expect(timer.count).toBe(0);
    if (stateDir === undefined) await rm(dir, { recursive: true });
  });
  return {
    dir,
    timer,
    openFiles,
    open(options = {}) {
      const spool = openSpool({
        stateDir: dir,
        bootId: 'boot-1',
        checkpointAfterMs: CHECKPOINT_MS,
        idleMs: IDLE_MS,
        timer,
        ...options,
      });
      spools.push(spool);
      return spool;
    },
  };
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
