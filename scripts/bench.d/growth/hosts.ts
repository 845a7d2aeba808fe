/** Hosts with ten tasks each, from one to a thousand. */
import { loadModels, TASKS_EACH } from '../model-load.ts';
import type { Growth } from './growth.ts';

const COUNTS = [1, 10, 100, 1_000];
const WATCHED = { settledMs: 5_000, quietMs: 10_000, ends: false };

export async function growHosts(): Promise<Growth> {
  const points = [];
  for (const at of COUNTS) {
    const { startedMs, residentBytes, loopDelayMs } = await loadModels(at, WATCHED);
    points.push({
      at,
      values: [startedMs, residentBytes, loopDelayMs.starting, loopDelayMs.quiet],
    });
  }
  return {
    name: 'growth-hosts',
    what: `Hosts with ${TASKS_EACH} tasks each: models behind real SSH, as in hosts-1000; each size with a daemon of its own.`,
    along: { label: 'hosts', unit: 'count' },
    series: [
      { label: 'until all tasks run', unit: 'ms' },
      { label: 'resident', unit: 'bytes' },
      { label: 'longest loop delay, starting', unit: 'ms' },
      { label: 'longest loop delay, quiet', unit: 'ms' },
    ],
    points,
  };
}
