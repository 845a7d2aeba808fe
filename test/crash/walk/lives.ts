/**
 * A daemon that is started again whenever a fault point ended it: each life has faults of its own, the
 * lives after the last planned one have none. Whoever asks it meanwhile asks until there is an answer.
 */
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type Client, createClient } from '../../../src/client/client.ts';
import { isDaemonAway } from '../../../src/client/errors.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { eventually } from './eventually.ts';

/** TOWLINE_FAULT and TOWLINE_FAULT_TRACE of one life. */
export type Life = Record<string, string>;

/** Asks the daemon until one that lives answers; other errors than its absence are thrown. */
export type Ask = <T>(call: (client: Client) => Promise<T>) => Promise<T>;

export interface Lives {
  readonly ask: Ask;
  /** Rejects when a life ends by anything but a fault point or stop(). */
  readonly failed: Promise<never>;
  /** When it was killed, by performance.now(), in order. */
  readonly deaths: readonly number[];
  /** What it said in its nth life, from 0. */
  log(life: number): string;
  /** The process of the present life. */
  process(): ChildProcess;
  /** Resolves when the present life, or one that follows it, is ready. */
  ready(): Promise<void>;
  /** Kills it from outside; it lives again. */
  kill(): Promise<void>;
  /** Ends it in order; true when a fault point ended it before that and it lives again. */
  stop(): Promise<boolean>;
}

const LOOK_MS = 20;

/** No daemon outlives a walk that is ended in the middle. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** `onDeath` looks at what a life left before the next one begins. */
export function startLives(
  daemon: TestDaemon,
  plan: readonly Life[],
  onDeath: (life: number) => void = () => {},
): Lives {
  const client = createClient({ socketPath: daemon.socket });
  const begins: number[] = [];
  const deaths: number[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let child = launch();
  let stopping = false;
  let killing: ChildProcess | undefined;

  function launch(): ChildProcess {
    const life = begins.length;
    begins.push(daemon.log().length);
    const started = daemon.launch(plan[life] ?? {});
    living.add(started);
    void once(started, 'close').then(() => {
      living.delete(started);
      if (stopping && started.signalCode !== 'SIGKILL') return;
      if (killing !== started && !/fault point \S+ reached \(kill\)/.test(log(life))) {
        const how = started.signalCode ?? started.exitCode;
        failed.reject(new Error(`life ${life} ended by itself (${how}): ${log(life)}`));
        return;
      }
      deaths.push(performance.now());
      try {
        onDeath(life);
      } catch (error) {
        failed.reject(error as Error);
        return;
      }
      child = launch();
    });
    return started;
  }

  function log(life: number): string {
    return daemon.log().slice(begins[life], begins[life + 1]);
  }

  async function ready(): Promise<void> {
    await eventually(() => log(begins.length - 1).includes('"msg":"ready"'));
  }

  async function ask<T>(call: (client: Client) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call(client);
      } catch (error) {
        if (!isDaemonAway(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  return {
    ask,
    failed: failed.promise,
    deaths,
    log,
    process: () => child,
    ready,
    async kill() {
      const before = deaths.length;
      killing = child;
      child.kill('SIGKILL');
      await eventually(() => deaths.length > before);
    },
    async stop() {
      await ready();
      const ending = child;
      const before = deaths.length;
      stopping = true;
      if (ending.exitCode === null && ending.signalCode === null) {
        ending.kill('SIGTERM');
        await once(ending, 'close');
      }
      await eventually(() => ending.signalCode !== 'SIGKILL' || deaths.length > before);
      stopping = false;
      if (ending.signalCode === 'SIGKILL') return true;
      client.close();
      return false;
    },
  };
}

/** The points passed in a log, in order: `name:hit`. */
export function passedIn(log: string): string[] {
  const lines = log.matchAll(/fault point (\S+) passed \((\d+)\)/g);
  return [...lines].map(([, name, hit]) => `${name}:${hit}`);
}
