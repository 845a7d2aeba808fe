/** What gc removed or would remove, and the book of it, for people. */
import type { GcHistoryView, GcView } from '../../protocol/views.ts';
import { oneLine, sizeText } from './text.ts';

type Line = GcView['removed'][number];

export function gcText({ dryRun, cleaned, forgotten, removed, away }: GcView): string {
  const verb = dryRun ? 'would be ' : '';
  const others = removed.filter(({ kind }) => kind !== 'task');
  const lines = [
    ...cleaned.map((id) => `${id} directory ${verb}removed`),
    ...forgotten.map((id) => `${id} ${verb}forgotten`),
    ...others.map((line) => `${nameOf(line)} ${verb}removed`),
    ...away.map(({ host, message }) => `${host} was left out: ${message}`),
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join('');
}

export function historyText({ removals }: GcHistoryView): string {
  return removals
    .map((line) => `${oneLine(`${line.at}  ${line.kind}  ${nameOf(line)}  by ${line.daemon}`)}\n`)
    .join('');
}

function nameOf({ what, host, count, bytes }: Line): string {
  const many = count === 1 ? '' : `${count} `;
  const where = host === undefined ? '' : ` on ${host}`;
  return `${many}${what}${where}${bytes === undefined ? '' : ` (${sizeText(bytes)})`}`;
}
