/**
 * A daemon whose host called vm is vm2 of the bed by a way of the test's own (a proxy, an sshd), so that a fault on the way
 * disturbs nobody else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COUNTED } from '../crash-task.ts';
import { makeDaemon, type TestDaemon } from '../daemon.ts';
import { knownHostsText } from '../sshd.ts';

/** Keys that let a test lose more links in a minute than a well-behaved daemon may replace. */
export const MANY_LOGINS = { login_burst: '100', login_interval: '10ms' };

/** The known_hosts file in the daemon's directory, which pins vm2's key under the ports of the ways. */
export function knownHostsOf(daemon: TestDaemon): string {
  return join(daemon.dir, 'own_known_hosts');
}

/** Hosts by name, each with the port on 127.0.0.1 that leads to an sshd of vm2. Nothing is started. */
export function daemonThrough(
  ports: Record<string, number>,
  keys: Record<string, string> = {},
): TestDaemon {
  const hosts = Object.entries(ports).map(([name, port]) => {
    const own = { ...COUNTED, port: String(port), ...keys };
    return [name, { on: 'vm2' as const, keys: own }] as const;
  });
  const daemon = makeDaemon({ hosts: Object.fromEntries(hosts) });
  const pins = knownHostsOf(daemon);
  const lines = Object.values(ports).map((port) => knownHostsText(port, ['ed25519']));
  writeFileSync(pins, lines.join(''));
  const ini = readFileSync(daemon.configFile, 'utf8');
  writeFileSync(daemon.configFile, ini.replaceAll(/^known_hosts = .*$/gm, `known_hosts = ${pins}`));
  return daemon;
}
