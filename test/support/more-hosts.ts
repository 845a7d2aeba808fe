/** More sections for the configuration of a test's daemon: the bed's machine under another name and root. */
import { appendFileSync, readFileSync } from 'node:fs';
import { SSH_PORT } from './bed.ts';
import type { TestDaemon } from './daemon.ts';
import { until } from './until.ts';

/** The keys of [host.vm] that a second bed has otherwise. */
export const BED_KEYS = { port: SSH_PORT };

/** Adds [host.NAME] with the keys of [host.vm], these instead. Call before start, or reload after. */
export function addHost(daemon: TestDaemon, name: string, keys: Record<string, string>): void {
  const config = readFileSync(daemon.configFile, 'utf8');
  const section = /\[host\.vm\]\n([^[]*)/.exec(config)?.[1] ?? '';
  const kept = section.split('\n').filter((line) => {
    const key = line.split(' = ')[0] ?? '';
    return key !== '' && !(key in keys);
  });
  const own = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  appendFileSync(daemon.configFile, `\n[host.${name}]\n${[...kept, ...own].join('\n')}\n`);
}

/** Waits until a task is in this state. */
export async function inState(daemon: TestDaemon, id: string, state: string): Promise<void> {
  await until(
    () => daemon.storedState(id) === state,
    () => `task ${id} is ${daemon.storedState(id)}, not ${state}`,
  );
}
