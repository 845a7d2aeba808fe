/** How long a daemon that was killed takes until it has seen each of ten thousand running attempts on its host once more. */
import type { BedHost } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { memoryNow } from '../../test/support/memory.ts';
import { metrics } from '../../test/support/metrics.ts';
import { plantRunning } from '../../test/support/running-attempts.ts';
import { until } from '../../test/support/until.ts';
import { median } from './compare.ts';
import type { Measure } from './measure.ts';
import type { Size, Sized } from './size.ts';

interface Crowd {
  hosts: number;
  each: number;
  restarts: number;
}

const CROWD: Sized<Crowd> = {
  whole: { hosts: 10, each: 1_000, restarts: 3 },
  short: { hosts: 2, each: 5, restarts: 1 },
};
const MIB = 1024 * 1024;
const LIMIT_MS = 120_000;

interface Restart {
  /** Since the process was started. */
  readyMs: number;
  seenMs: number;
  residentBytes: number;
  /** The longest in all that time. */
  loopDelayMs: number;
}

export async function measureRestartRunning(size: Size): Promise<Measure> {
  const crowd = CROWD[size];
  const { hosts, each: tasks, restarts: times } = crowd;
  const places = Array.from({ length: hosts }, (_, n) => ({
    name: `host${n}`,
    on: (n % 2 === 0 ? 'vm' : 'vm2') as BedHost,
  }));
  const keys = { max_tasks: String(tasks) };
  await using daemon = makeDaemon({
    hosts: Object.fromEntries(places.map(({ name, on }) => [name, { on, keys }])),
  });
  await daemon.start();
  for (const { name } of places) await contact(daemon, name);
  await daemon.kill();
  await using _planted = await plantRunning(daemon, places, tasks);
  const restarts: Restart[] = [];
  for (let n = 0; n < times; n += 1) restarts.push(await restart(daemon, crowd));
  const each = (part: keyof Restart): number[] => restarts.map((one) => one[part]);
  const span = (values: number[], unit: string): string =>
    `${median(values).toFixed(0)} ${unit} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
  return {
    name: 'restart-running',
    what: `A daemon killed and started again, ${times} times, with ${hosts * tasks} running tasks on ${hosts} hosts: real sshd, real shells and real directories of attempts on the bed's vm and vm2; modelled are the supervisors, of which one sleeping process on each host stands for all.`,
    rows: [
      { figure: 'ready after', value: span(each('readyMs'), 'ms') },
      { figure: 'each attempt seen after', value: span(each('seenMs'), 'ms'), aim: 'within 10 s' },
      {
        figure: 'resident then',
        value: span(
          each('residentBytes').map((bytes) => bytes / MIB),
          'MiB',
        ),
      },
      { figure: 'longest delay of the event loop', value: span(each('loopDelayMs'), 'ms') },
    ],
  };
}

/** Its root is made. */
async function contact(daemon: TestDaemon, name: string): Promise<void> {
  const { code, stderr } = await daemon.cli('host', 'show', name);
  if (code !== 0) throw new Error(`host show ${name} ended with ${code}: ${stderr}`);
}

/** Leaves it killed. */
async function restart(daemon: TestDaemon, crowd: Crowd): Promise<Restart> {
  const before = daemon.log().length;
  const began = Date.now();
  await daemon.start();
  const lines = (): LogLine[] => logLines(daemon.log().slice(before));
  await until(
    () => seenAt(lines(), crowd) !== undefined,
    () => 'every attempt was looked at',
    LIMIT_MS,
  );
  const numbers = await metrics(daemon);
  const running = numbers['towline_tasks{state="running"}'];
  const all = crowd.hosts * crowd.each;
  if (running !== all) throw new Error(`${running} of ${all} tasks run`);
  const log = lines();
  const readyAt = Date.parse(log.find(({ msg }) => msg === 'ready')?.time ?? '');
  const restarted = {
    readyMs: readyAt - began,
    seenMs: Math.max(readyAt, seenAt(log, crowd) ?? Number.NaN) - began,
    residentBytes: memoryNow(daemon.pid()),
    loopDelayMs: (numbers['towline_event_loop_delay_max_seconds'] ?? Number.NaN) * 1_000,
  };
  await daemon.kill('SIGKILL');
  return restarted;
}

interface LogLine {
  time: string;
  msg: string;
  host?: string;
  purpose?: string;
  outcome?: string;
}

function logLines(text: string): LogLine[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** When the last host had answered a look at all of its attempts for the first time. */
function seenAt(lines: readonly LogLine[], { hosts, each }: Crowd): number | undefined {
  const looks = lines.filter(
    ({ purpose, outcome }) => purpose === `looking at ${each} running attempts` && outcome === 'ok',
  );
  const first = new Map(looks.toReversed().map(({ host, time }) => [host, Date.parse(time)]));
  return first.size < hosts ? undefined : Math.max(...first.values());
}
