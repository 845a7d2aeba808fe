/**
 * Plays the service manager of one daemon: starts it again whenever it ends, kills or freezes it when told, and
 * remembers each end that nobody caused.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDaemon } from '../support/daemon.ts';

const RESTART_MS = 200;
const READY_MS = 60_000;

export interface KeptDaemon {
  /** Resolves when it is ready. */
  start(): Promise<void>;
  kill(): Promise<void>;
  freeze(ms: number): Promise<void>;
  /** While this holds, an end by itself is nobody's fault. */
  excuse(excused: boolean): void;
  /** Ends that nobody caused. */
  faults(): string[];
  /** Ends it by TERM for good; says what was wrong with that. */
  stop(): Promise<string[]>;
}

export function keepDaemon(daemon: TestDaemon): KeptDaemon {
  const faults: string[] = [];
  let child: ChildProcess | undefined;
  let excused = false;
  let closing = false;
  let turn: Promise<unknown> = Promise.resolve();
  const expected = new WeakSet<ChildProcess>();
  const over = (one: ChildProcess): boolean => one.exitCode !== null || one.signalCode !== null;

  /** One at a time: a kill in the middle of another start would hit nobody. */
  function alone<T>(act: () => Promise<T>): Promise<T> {
    const next = turn.then(act, act);
    turn = next.catch(() => {});
    return next;
  }

  async function launch(): Promise<void> {
    const before = daemon.log().length;
    const end = performance.now() + READY_MS;
    let one = launchOne();
    while (!daemon.log().slice(before).includes('"msg":"ready"')) {
      if (performance.now() > end) throw new Error('the daemon is not ready within a minute');
      if (over(one)) {
        await sleep(RESTART_MS);
        one = launchOne();
      }
      await sleep(20);
    }
  }

  function launchOne(): ChildProcess {
    const one = daemon.launch();
    child = one;
    one.once('close', (code, signal) => {
      if (closing || expected.has(one)) return;
      if (!excused) faults.push(`the daemon ended by itself: ${code ?? signal}`);
      if (child === one)
        void alone(() => (over(one) && child === one ? launch() : Promise.resolve())).catch(
          () => {},
        );
    });
    return one;
  }

  async function end(how: NodeJS.Signals): Promise<ChildProcess | undefined> {
    const one = child;
    if (one === undefined || over(one)) return undefined;
    expected.add(one);
    const closed = new Promise((resolve) => one.once('close', resolve));
    one.kill(how);
    await closed;
    return one;
  }

  return {
    start: () => alone(launch),
    kill: () =>
      alone(async () => {
        await end('SIGKILL');
        await launch();
      }),
    freeze: async (ms) => {
      const one = child;
      one?.kill('SIGSTOP');
      await sleep(ms);
      one?.kill('SIGCONT');
    },
    excuse: (value) => {
      excused = value;
    },
    faults: () => faults,
    stop: () =>
      alone(async () => {
        closing = true;
        const slow = setTimeout(() => child?.kill('SIGKILL'), 20_000);
        const one = await end('SIGTERM');
        clearTimeout(slow);
        if (one === undefined || one.exitCode === 0) return [];
        return [`the daemon did not stop cleanly: ${one.exitCode ?? one.signalCode}`];
      }),
  };
}
