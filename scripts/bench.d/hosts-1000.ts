/** What each of a thousand hosts costs the daemon, and how late its event loop gets: against one host. */
import type { Measure } from './measure.ts';
import { type Load, loadModels, TASKS_EACH, WATCHED } from './model-load.ts';
import type { Size, Sized } from './size.ts';

const HOSTS: Sized<number> = { whole: 1_000, short: 3 };
const MB = 1_000_000;

export async function measureHosts1000(size: Size): Promise<Measure> {
  const hosts = HOSTS[size];
  const one = await loadModels(1, WATCHED[size]);
  const many = await loadModels(hosts, WATCHED[size]);
  const each = (many.residentBytes - one.residentBytes) / (hosts - 1) / MB;
  const both = (figure: (load: Load) => string): string => `${figure(many)} (one: ${figure(one)})`;
  const delay = (when: keyof Load['loopDelayMs']): string =>
    both(({ loopDelayMs }) => `${loopDelayMs[when].toFixed(0)} ms`);
  const aim = 'at most 100 ms';
  return {
    name: 'hosts-1000',
    what: `${TASKS_EACH} tasks on each of ${hosts} hosts, against ${TASKS_EACH} on one. Connections, channels and all that the daemon does are real; modelled are the hosts behind them: one process with an SSH server answers the texts of all from memory, so that nothing is run or printed there.`,
    rows: [
      {
        figure: 'memory for each further host',
        value: `${each.toFixed(2)} MB`,
        aim: 'less than 2 MB',
      },
      { figure: 'resident', value: both((load) => `${(load.residentBytes / MB).toFixed(0)} MB`) },
      { figure: 'longest delay of the event loop while all start', value: delay('starting'), aim },
      { figure: '… while nothing happens', value: delay('quiet'), aim },
      { figure: '… while all end', value: delay('ending'), aim },
      {
        figure: 'until all tasks run',
        value: both(({ startedMs }) => `${(startedMs / 1_000).toFixed(1)} s`),
      },
      {
        figure: 'from their end until all have succeeded',
        value: both(({ endedMs }) => `${(endedMs / 1_000).toFixed(1)} s`),
      },
      {
        figure: 'of a core, while nothing happens',
        value: both(({ quietCpu }) => `${(100 * quietCpu).toFixed(1)} %`),
      },
      { figure: 'logins', value: both(({ logins }) => String(logins)) },
    ],
  };
}
