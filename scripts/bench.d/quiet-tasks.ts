/** What hundreds of tasks cost that run and say nothing: the daemon, the host, and what goes between them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onHost } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { metrics } from '../../test/support/metrics.ts';
import { until } from '../../test/support/until.ts';
import { installBareRuntime } from './bare-runtime.ts';
import type { Measure } from './measure.ts';
import type { Size, Sized } from './size.ts';
import { type Usage, usageOf } from './usage.ts';

/** `settledMs` after the last start, in which all is looked at once more, and then ever less often. */
const WHAT: Sized<{ tasks: number; watchedMs: number; settledMs: number }> = {
  whole: { tasks: 500, watchedMs: 30_000, settledMs: 20_000 },
  short: { tasks: 10, watchedMs: 1_000, settledMs: 0 },
};
/** Where the tasks wait, without any process of their own. */
const GATE = '/tmp/towline-bench-gate';

export async function measureQuietTasks(size: Size): Promise<Measure> {
  const { tasks, watchedMs, settledMs } = WHAT[size];
  await using runtime = await installBareRuntime();
  await using daemon = makeDaemon({ vm: { max_tasks: String(tasks), runtime: runtime.path } });
  await daemon.start();
  await daemon.cli('run', '--host', 'vm', runtime.image, '--', 'true');
  await onHost('vm', 'mkfifo', '-m', '666', GATE);
  const watched = (): Promise<Usage> => usageOf(daemon, () => sleep(watchedMs));
  const idle = await watched();
  const ids = await startAll(daemon, runtime.image, tasks);
  await sleep(settledMs);
  const quiet = await watched();
  // all of them have it open to read; they end together, which a cancel of hundreds on two cores takes minutes for
  await onHost('vm', 'sh', '-c', `: >${GATE}; rm ${GATE}`);
  await daemon.cli('wait', ...ids);
  const each = (usage: Usage, part: keyof Usage): number => usage[part] / usage.wallMs;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const share = (part: keyof Usage): string => {
    const [with_, without] = [each(quiet, part), each(idle, part)];
    return `${percent(with_ - without)} of a core (${percent(with_)}; without: ${percent(without)})`;
  };
  return {
    name: 'quiet-tasks',
    what: `${tasks} tasks that wait, by a runtime that adds nothing, against the same daemon without one; ${watchedMs / 1_000} s each.`,
    rows: [
      { figure: 'more for the daemon', value: share('daemonMs'), aim: 'under 3 %' },
      { figure: 'more on the host', value: share('hostMs'), aim: 'under 3 %' },
      {
        figure: 'round trips of the control shell a second',
        value: (1_000 * each(quiet, 'trips')).toFixed(2),
        aim: 'at most 2',
      },
      {
        figure: 'bytes from the host a second',
        value: (1_000 * each(quiet, 'bytesReceived')).toFixed(0),
      },
    ],
  };
}

async function startAll(daemon: TestDaemon, image: string, tasks: number): Promise<string[]> {
  const file = join(daemon.dir, 'tasks.ndjson');
  const line = JSON.stringify({ host: 'vm', image, command: ['sh', '-c', `read -r _ <${GATE}`] });
  writeFileSync(file, `${line}\n`.repeat(tasks));
  const ids = (await daemon.submit('--file', file)).split('\n');
  const running = async (): Promise<boolean> =>
    (await metrics(daemon))['towline_tasks{state="running"}'] === tasks;
  await until(running, () => `${tasks} tasks run`, 300_000);
  return ids;
}
