/** The host column of a known_hosts line: does it mean this host? (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) */
import { createHmac } from 'node:crypto';

/** The name under which a host stands in known_hosts: bare for port 22, `[name]:port` else. */
export function knownHostsName(hostname: string, port: number): string {
  const name = hostname.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Undefined: the column cannot be understood. A negated pattern that fits beats all others. */
export function matchesHost(column: string, name: string): boolean | undefined {
  if (column.startsWith('|')) return matchesHash(column, name);
  let positive = false;
  for (const part of column.toLowerCase().split(',')) {
    const negated = part.startsWith('!');
    const pattern = negated ? part.slice(1) : part;
    if (pattern === '' || !matchesWildcards(pattern, name)) continue;
    if (negated) return false;
    positive = true;
  }
  return positive;
}

function matchesHash(column: string, name: string): boolean | undefined {
  const match = /^\|1\|([A-Za-z0-9+/]+=*)\|([A-Za-z0-9+/]+=*)$/.exec(column);
  if (match === null) return undefined;
  const [, salt = '', hash = ''] = match;
  const wanted = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64');
  return wanted === hash;
}

/** `*` and `?` only; linear with one step back, so that no pattern takes long. */
function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let index = 0;
  while (index < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted === '?' || wanted === text[index]) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
