/**
 * Which of the attempts that wait for a job still have their ticket: one word and one question for each, and no answer
 * while it waits, so that hundreds of them cost next to nothing. Where all else stands, status.ts tells.
 */
import { ROOT_MARKER, safeName } from './layout.ts';
import { quote } from './quote.ts';
import { splitReply } from './reply.ts';

/** A root that cannot be seen says nothing about any ticket. */
const TICKETS = `tickets() {
  tasks=$1
  shift
  [ -r "\${tasks%/*/*}/${ROOT_MARKER}" ] || return 0
  for T; do [ -e "$tasks/$T/ticket" ] || echo "@ taken $T"; done
}`;

/** Gives the text that asks for attempts by their directories. */
export function ticketsText(dirs: readonly string[]): string {
  const byPlace = Map.groupBy(dirs, (dir) => dir.slice(0, dir.lastIndexOf('/')));
  const asks = [...byPlace].map(
    ([tasks, some]) => `tickets ${quote(tasks)} ${some.map(tokenOf).join(' ')}`,
  );
  return [TICKETS, ...asks].join('\n');
}

/** Takes its answers out of a reply: of which directories the ticket is gone, or all of it. */
export function takeTickets(
  dirs: readonly string[],
  output: string,
): { taken: string[]; rest: string } {
  const { lines } = splitReply(output);
  const tokens = new Set(lines.flatMap(({ verb, rest }) => (verb === 'taken' ? [rest] : [])));
  return {
    taken: dirs.filter((dir) => tokens.has(tokenOf(dir))),
    rest: output.replace(/^@ taken .*\n?/gm, ''),
  };
}

function tokenOf(dir: string): string {
  return safeName(dir.slice(dir.lastIndexOf('/') + 1));
}
