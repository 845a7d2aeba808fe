/** Host keys as people compare them. */
import type { HostTrustView } from '../../protocol/views.ts';
import { oneLine, table } from './text.ts';

const WORDS: Record<HostTrustView['keys'][number]['verdict'], string> = {
  trusted: 'trusted already',
  unknown: 'not known',
  different: 'DIFFERENT from the pinned key',
  revoked: 'REVOKED',
};

/** What the host offers, one line for each key, with what the known_hosts files say. */
export function keyTable({ host, name, keys, silent }: HostTrustView): string {
  const quiet = silentText(silent);
  if (keys.length === 0)
    return `${oneLine(`host ${host} (${name})`)} offers no key of a type that can be used\n${quiet}`;
  const rows = keys.map(({ type, fingerprint, verdict, places, nodes }) => [
    ...nodesCell(nodes),
    type,
    fingerprint,
    WORDS[verdict],
    places.join(', '),
  ]);
  return `${oneLine(`host ${host} (${name})`)} offers:\n${table(rows, Number.POSITIVE_INFINITY)}${quiet}`;
}

/** What is trusted now. */
export function trustedText({ host, name, keys, silent }: HostTrustView): string {
  const trusted = keys.filter(({ verdict }) => verdict === 'trusted');
  const rows = trusted.map(({ type, fingerprint, places, nodes }) => [
    ...nodesCell(nodes),
    type,
    fingerprint,
    places.join(', '),
  ]);
  return `${oneLine(`host ${host} (${name})`)} is trusted by:\n${table(rows, Number.POSITIVE_INFINITY)}${silentText(silent)}`;
}

function nodesCell(nodes: string[] | undefined): string[] {
  return nodes === undefined ? [] : [nodes.join(', ')];
}

/** The login nodes that nobody can be asked about now: their keys are not trusted by this. */
function silentText(silent: HostTrustView['silent'] = []): string {
  return silent
    .map(({ node, code, message }) => oneLine(`${node} could not be asked: ${code}: ${message}`))
    .map((line) => `${line}\n`)
    .join('');
}
