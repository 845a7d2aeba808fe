/** What something costs the daemon, the bed's vm, and the way between them. */
import { onHost } from '../../test/support/bed.ts';
import type { TestDaemon } from '../../test/support/daemon.ts';
import { hostCounters } from '../../test/support/host-counters.ts';
import { metrics } from '../../test/support/metrics.ts';

export interface Usage {
  wallMs: number;
  /** Processor of the daemon, and of all that ran on the host. */
  daemonMs: number;
  hostMs: number;
  /** Round trips of the control shells. */
  trips: number;
  bytesReceived: number;
  sftpRequests: number;
  logins: number;
  /** Of the store. */
  commits: number;
  /** Processes and threads that were begun on the host, those of the asking among them. */
  begun: number;
}

export async function usageOf(daemon: TestDaemon, act: () => Promise<unknown>): Promise<Usage> {
  const before = await usageSoFar(daemon);
  await act();
  const after = await usageSoFar(daemon);
  const spent = Object.entries(after).map(([part, value]) => [
    part,
    value - before[part as keyof Usage],
  ]);
  return Object.fromEntries(spent) as unknown as Usage;
}

/** Microseconds of processor by either kind of control groups; then the newest pid of the host's namespace. */
const HOST = `if [ -e /sys/fs/cgroup/cpu.stat ]; then
  awk '/^usage_usec/ { print $2 }' /sys/fs/cgroup/cpu.stat
else
  awk '{ printf "%d\\n", $1 / 1000 }' /sys/fs/cgroup/cpuacct/cpuacct.usage
fi
read -r _ _ _ _ newest </proc/loadavg && echo "$newest"`;

async function usageSoFar(daemon: TestDaemon): Promise<Usage> {
  const [own, counters, host] = await Promise.all([
    metrics(daemon),
    hostCounters(daemon),
    onHost('vm', 'sh', '-c', HOST),
  ]);
  const [cpuUs = Number.NaN, begun = Number.NaN] = host.trim().split('\n').map(Number);
  return {
    wallMs: performance.now(),
    daemonMs: (own['process_cpu_seconds_total'] ?? Number.NaN) * 1_000,
    hostMs: cpuUs / 1_000,
    trips: counters.shellBatches,
    bytesReceived: counters.bytesReceived,
    sftpRequests: counters.sftpRequests,
    logins: counters.logins,
    commits: own['towline_store_transactions_total'] ?? Number.NaN,
    begun,
  };
}

/** Of many alike tasks, as rows of a table. */
export function partsOfEach(usage: Usage, tasks: number): Record<string, string> {
  const each = (part: keyof Usage, digits: number): string => (usage[part] / tasks).toFixed(digits);
  return {
    'processor of the daemon, a task': `${each('daemonMs', 1)} ms`,
    'processor of the host, a task': `${each('hostMs', 1)} ms`,
    'processes and threads begun on the host, a task': each('begun', 0),
    'round trips of the control shell, a task': each('trips', 2),
    'commits of the store, a task': each('commits', 2),
    'SFTP requests': String(usage.sftpRequests),
    'new logins': String(usage.logins),
  };
}
