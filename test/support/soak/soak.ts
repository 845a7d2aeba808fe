/**
 * A daemon under constant load on a host of its own, looked at again and again when nothing is under way: what is left
 * then is left. The host is one more of the bed's, since on a shared one nobody could tell whose a process is.
 */
import { makeDaemon, type TestDaemon } from '../daemon.ts';
import { type SpareHost, startSpareHost } from '../faults/spare-host.ts';
import { metrics } from '../metrics.ts';
import { until } from '../until.ts';
import type { Sample } from './judge.ts';
import { type Load, loadDaemon } from './load.ts';
import { lookAt } from './look.ts';

export interface SoakOptions {
  rounds: number;
  clients: number;
  /** For each round anew: whether one more task is begun in it. */
  round: () => Load['goesOn'];
  onSample?: (sample: Sample) => void;
}

/** Long, and so are shells and links that are idle there: the machine may be busy. */
const LIMIT_MS = 120_000;

export async function soak({ rounds, clients, round, onSample }: SoakOptions): Promise<Sample[]> {
  await using host = await startSpareHost();
  const on = { on: host.name, keys: { ...host.keys, max_tasks: String(clients) } };
  await using daemon = makeDaemon({
    hosts: { far: on },
    // of what is kept for a time, so little that an hour sees it go
    daemon: { log_level: 'info', max_events: '1000' },
  });
  await daemon.start();
  const samples: Sample[] = [];
  let tasks = 0;
  for (let n = 0; n < rounds; n += 1) {
    tasks += await loadDaemon(daemon, { clients, image: host.image, goesOn: round() }, tasks);
    await rest(daemon, host);
    const sample = { tasks, ...(await lookAt(daemon, host)) };
    samples.push(sample);
    onSample?.(sample);
  }
  return samples;
}

/** Nothing is under way any more, and what is no longer needed is gone. */
async function rest(daemon: TestDaemon, host: SpareHost): Promise<void> {
  const isIdle = async (): Promise<boolean> => {
    const numbers = Object.entries(await metrics(daemon));
    return numbers.every(([name, value]) => !name.startsWith('towline_tasks{') || value === 0);
  };
  await until(isIdle, () => 'no task is under way', LIMIT_MS);
  const attempts = 'find "$1"/tasks -mindepth 2 -maxdepth 2 -name "*.[0-9]*" | wc -l';
  const isClean = async (): Promise<boolean> => Number(await host.sh(attempts, daemon.root)) === 0;
  await until(isClean, () => 'every attempt is removed', LIMIT_MS);
  const gone = await daemon.cli('gc', '--older-than', '0s', '--yes');
  if (gone.code !== 0) throw new Error(`gc ended with ${gone.code}: ${gone.stderr}`);
}
