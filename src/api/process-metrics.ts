/** The daemon's own process as metric families: CPU, memory, time, and how late its event loop is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricFamily } from '../engine/service.ts';

/** Coarse, so that looking costs nothing: a wait for a lock or a big file is longer than this. */
const RESOLUTION_MS = 20;
const QUANTILES = { p50: 50, p99: 99 } as const;

export interface ProcessMetrics {
  read(): MetricFamily[];
  stop(): void;
}

export function startProcessMetrics(): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();

  /** The histogram holds the whole time between two ticks of its timer. */
  const late = (nanoseconds: number): number =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3) : 0;

  function delays(): MetricFamily[] {
    const help = 'of how late the event loop was, since the last time this was asked.';
    const families = Object.entries(QUANTILES).map(([name, percent]) =>
      one(
        `towline_event_loop_delay_${name}_seconds`,
        `${percent} % quantile ${help}`,
        late(delay.count === 0 ? 0 : delay.percentile(percent)),
      ),
    );
    const max = one(
      'towline_event_loop_delay_max_seconds',
      `Maximum ${help}`,
      late(delay.count === 0 ? 0 : delay.max),
    );
    delay.reset();
    return [...families, max];
  }

  return {
    read() {
      const { user, system } = process.cpuUsage();
      const seconds = (user + system) / 1e6;
      const startedAt = performance.timeOrigin / 1e3;
      return [
        one('towline_uptime_seconds', 'Time since the daemon started.', process.uptime()),
        one('process_start_time_seconds', 'Start of the daemon, seconds since 1970.', startedAt),
        one('process_cpu_seconds_total', 'User and system CPU time of the daemon.', seconds),
        one(
          'process_resident_memory_bytes',
          'Resident memory of the daemon.',
          process.memoryUsage.rss(),
        ),
        ...delays(),
      ];
    },
    stop: () => delay.disable(),
  };
}

function one(name: string, help: string, value: number): MetricFamily {
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return { name, help, type, samples: [{ value }] };
}
