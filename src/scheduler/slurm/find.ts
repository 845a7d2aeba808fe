/**
 * Whether a job of a name exists, for when the answer to a submit was lost. Both the queue and what ended are
 * asked, for a short job may be through the one before the other knows it; where accounting is off the
 * controller's own memory is asked instead.
 */

import { quote } from '../../script/quote.ts';
import { splitReply } from '../../script/reply.ts';
import { LIMITED } from '../../script/scheduler-tools.ts';
import { baseOf } from './job-ids.ts';

/** Gives the text that asks for jobs by name. */
export function findText(names: readonly string[], { timeoutS }: { timeoutS: number }): string {
  return [
    LIMITED,
    `dir=$(mktemp -d 2>/dev/null) || exit 0
trap 'rm -rf "$dir"' EXIT`,
    `names=${quote(names.join(','))}`,
    `if limited ${timeoutS} squeue --local --me -h -r -t all -o '%i|%j' --name="$names" >"$dir/out" 2>/dev/null </dev/null; then`,
    '  echo "@ asked squeue"\n  sed "s/^/@ job /" "$dir/out"\nfi',
    `if limited ${timeoutS} sacct -n -P -X -S now-30days -o 'JobID,JobName%200' --name="$names" >"$dir/out" 2>"$dir/err" </dev/null; then`,
    '  echo "@ asked sacct"\n  sed "s/^/@ job /" "$dir/out"',
    'elif grep -qi disabled "$dir/err"; then\n  echo "@ asked nothing"\nfi',
  ].join('\n');
}

/** Ids by name, without the elements of arrays; undefined while not both have answered. */
export function parseFind(output: string): Map<string, string[]> | undefined {
  const { lines } = splitReply(output);
  const asked = lines.filter(({ verb }) => verb === 'asked').map(({ rest }) => rest);
  if (!asked.includes('squeue') || asked.length < 2) return undefined;
  const found = new Map<string, Set<string>>();
  for (const { verb, rest } of lines) {
    const cut = rest.indexOf('|');
    if (verb !== 'job' || cut < 1) continue;
    const name = rest.slice(cut + 1);
    const ids = found.get(name) ?? new Set();
    found.set(name, ids.add(baseOf(rest.slice(0, cut))));
  }
  return new Map([...found].map(([name, ids]) => [name, [...ids]]));
}
