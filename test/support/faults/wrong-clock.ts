/** Wrong clocks, here and on a host; none of them can be set for real on a machine that others use, too. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onHost } from '../bed.ts';

const PRELOAD = join(import.meta.dirname, 'set-time.ts');

export interface LocalClock {
  /** For the daemon, or for a CLI: their clock is this one. */
  readonly env: Record<string, string>;
  /** Wrong by so much from now on. */
  set(ms: number): void;
}

/** A clock for the processes that are started with its `env`; right until it is set. */
export function localClock(dir: string): LocalClock {
  const file = join(dir, 'clock');
  const set = (ms: number): void => {
    // one write of a few bytes: a reader sees the old or the new number
    writeFileSync(file, String(ms).padEnd(20));
  };
  set(0);
  return { env: { NODE_OPTIONS: `--import=${PRELOAD}`, TOWLINE_TEST_CLOCK: file }, set };
}

/**
 * For an sshd of vm2: what runs there by us reads a clock that is wrong by so many seconds. Supervisors and pull jobs ask
 * `date` for it, which is found in this directory first.
 */
export async function hostClock(seconds: number): Promise<AsyncDisposable & { line: string }> {
  const dir = `/home/alice/t/clock-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const shim = `#!/bin/sh
case $1 in +%s) echo $(($(/bin/date +%s) + ${seconds})) ;; *) exec /bin/date "$@" ;; esac`;
  const make = `mkdir -p ${dir} && printf '%s\\n' "$0" >${dir}/date && chmod 755 ${dir}/date`;
  await onHost('vm2', 'su', 'alice', '-s', '/bin/sh', '-c', make, '--', shim);
  return {
    line: `SetEnv PATH=${dir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    [Symbol.asyncDispose]: async () => void (await onHost('vm2', 'rm', '-rf', dir)),
  };
}
