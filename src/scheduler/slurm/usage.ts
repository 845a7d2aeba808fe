/**
 * What jobs used, by `sacct`: the peak of the largest process of a step (MaxRSS), as its jobacct_gather plugin saw
 * it. Asked for several at once; nothing where accounting is off or knows nothing yet.
 */
import { quote } from '../../script/quote.ts';
import { splitReply } from '../../script/reply.ts';
import { LIMITED } from '../../script/scheduler-tools.ts';
import type { JobRef, JobUsage } from '../scheduler.ts';

/** Gives the text that asks. */
export function usageText(ids: readonly string[], { timeoutS }: { timeoutS: number }): string {
  return [
    LIMITED,
    `said=$(limited ${timeoutS} sacct -n -P --noconvert -o JobID,MaxRSS -j ${quote(ids.join(','))} 2>&1 </dev/null)`,
    'code=$?',
    `printf '%s\\n' "$said" | grep '^[0-9]' | sed 's/^/@ used /'`,
    'case $said in *disabled*) code=off ;; esac',
    'echo "@ sacct $code"',
  ].join('\n');
}

/** Reads the peak of each job over its steps (`12`, `12.batch`, `12_3.0`); undefined: accounting is off. */
export function parseUsage(
  output: string,
  jobs: readonly JobRef[],
): Map<string, JobUsage> | undefined {
  const { lines } = splitReply(output);
  if (lines.some(({ verb, rest }) => verb === 'sacct' && rest === 'off')) return undefined;
  const known = new Set(jobs.map(({ id }) => id));
  const used = new Map<string, JobUsage>();
  for (const { verb, rest } of lines) {
    const [step = '', rss = ''] = rest.split('|');
    const id = step.split('.')[0] ?? '';
    const bytes = bytesOf(rss);
    if (verb !== 'used' || !known.has(id) || bytes === undefined) continue;
    used.set(id, { maxRssBytes: Math.max(bytes, used.get(id)?.maxRssBytes ?? 0) });
  }
  return used;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** `--noconvert` leaves units as they were gathered: mostly bytes, or KiB with a K. */
function bytesOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)$/.exec(text);
  const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  return Number.isFinite(bytes) && bytes > 0 ? Math.round(bytes) : undefined;
}
