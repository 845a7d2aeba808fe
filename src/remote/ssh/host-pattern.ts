/** The host column of a known_hosts line: does it mean this host? (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) */
import { createHmac } from 'node:crypto';
import { matchesPatterns } from '../../domain/wildcards.ts';

/** The name under which a host stands in known_hosts: bare for port 22, `[name]:port` else. */
export function knownHostsName(hostname: string, port: number): string {
  const name = hostname.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Undefined: the column cannot be understood. A negated pattern that fits beats all others. */
export function matchesHost(column: string, name: string): boolean | undefined {
  if (column.startsWith('|')) return matchesHash(column, name);
  return matchesPatterns(column.toLowerCase().split(','), name);
}

function matchesHash(column: string, name: string): boolean | undefined {
  const match = /^\|1\|([A-Za-z0-9+/]+=*)\|([A-Za-z0-9+/]+=*)$/.exec(column);
  if (match === null) return undefined;
  const [, salt = '', hash = ''] = match;
  const wanted = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64');
  return wanted === hash;
}
