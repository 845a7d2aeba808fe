/** The counters of the bed's host as `towline host show` gives them. */
import type { HostCounters } from '../../src/remote/host.ts';
import type { TestDaemon } from './daemon.ts';

export async function hostCounters(daemon: TestDaemon): Promise<HostCounters> {
  const ran = await daemon.cli('host', 'show', 'vm', '--no-probe', '--json');
  if (ran.code !== 0) throw new Error(`host show failed: ${ran.stderr}`);
  return (JSON.parse(ran.stdout) as { counters: HostCounters }).counters;
}
