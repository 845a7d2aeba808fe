/** Host keys as people compare them. */
import type { HostTrustView } from '../../protocol/views.ts';
import { table } from './text.ts';

const WORDS: Record<HostTrustView['keys'][number]['verdict'], string> = {
  trusted: 'trusted already',
  unknown: 'not known',
  different: 'DIFFERENT from the pinned key',
  revoked: 'REVOKED',
};

/** What the host offers, one line for each key, with what the known_hosts files say. */
export function keyTable({ host, name, keys }: HostTrustView): string {
  if (keys.length === 0) return `host ${host} (${name}) offers no key of a type that can be used\n`;
  const rows = keys.map(({ type, fingerprint, verdict, places }) => [
    type,
    fingerprint,
    WORDS[verdict],
    places.join(', '),
  ]);
  return `host ${host} (${name}) offers:\n${table(rows, Number.POSITIVE_INFINITY)}`;
}

/** What is trusted now. */
export function trustedText({ host, name, keys }: HostTrustView): string {
  const trusted = keys.filter(({ verdict }) => verdict === 'trusted');
  const rows = trusted.map(({ type, fingerprint, places }) => [
    type,
    fingerprint,
    places.join(', '),
  ]);
  return `host ${host} (${name}) is trusted by:\n${table(rows, Number.POSITIVE_INFINITY)}`;
}
