/**
 * Where jobs stand: one `squeue` for all of the account, which lists what has ended for a while too (MinJobAge, 300 s).
 * Those that it does not list are asked for by `scontrol show job` and `sacct` (where accounting is on). Elements of an array
 * that wait come folded; SLURM_BITSTR_LEN=0 has them told in full (squeue(1)). --local: federations are not asked about,
 * which saves the controller a third of the requests.
 */

import { quote, quoteAll } from '../../script/quote.ts';
import { hexText } from '../../script/records.ts';
import { type ReplyLine, splitReply } from '../../script/reply.ts';
import { HEX, LIMITED } from '../../script/scheduler-tools.ts';
import type { JobRef, JobSight } from '../scheduler.ts';
import { covers } from './job-ids.ts';
import { sightOf } from './job-states.ts';

/** The name stands last: it may hold anything. */
const COLUMNS = '%i|%T|%r|%S|%N|%j';

/** Gives the text that lists the account's jobs whose names begin with the prefix. */
export function queueText({ prefix, timeoutS }: { prefix: string; timeoutS: number }): string {
  return [
    LIMITED,
    HEX,
    'export SLURM_BITSTR_LEN=0 SLURM_TIME_FORMAT=standard',
    OUTPUT_FILES,
    `limited ${timeoutS} squeue --local --me -h -t all -o ${quote(COLUMNS)} >"$dir/out" 2>"$dir/err" </dev/null`,
    'code=$?',
    `grep -F ${quote(`|${prefix}-`)} "$dir/out" | sed 's/^/@ job /'`,
    'echo "@ squeue $code $(hex_of "$dir/err")"',
  ].join('\n');
}

/** Reads where each of the jobs stands by the list; what is not in a list that came is `unlisted`. */
export function parseQueue(output: string, jobs: readonly JobRef[]): JobSight[] {
  const { lines } = splitReply(output);
  const trouble = troubleOf(lines, 'squeue');
  if (trouble !== undefined) return jobs.map(() => ({ kind: 'unknown', why: trouble }));
  const rows = byName(lines.filter(({ verb }) => verb === 'job').map(({ rest }) => rowOf(rest)));
  return jobs.map(({ id, name }) => {
    const row = rows.get(name)?.find(({ listed }) => covers(listed, id));
    return row === undefined ? { kind: 'unlisted' } : sightOf(row);
  });
}

/** Gives the text that asks for jobs by id. */
export function detailText(jobs: readonly JobRef[], { timeoutS }: { timeoutS: number }): string {
  const ids = jobs.map(({ id }) => id);
  return [
    LIMITED,
    HEX,
    'export SLURM_TIME_FORMAT=standard',
    OUTPUT_FILES,
    `limited ${timeoutS} sacct -n -P -X -o ${quote(SACCT_COLUMNS)} -j ${quote(ids.join(','))} >"$dir/out" 2>"$dir/err" </dev/null`,
    'code=$?',
    `sed 's/^/@ row /' "$dir/out"`,
    'echo "@ sacct $code $(hex_of "$dir/err")"',
    `set -- ${quoteAll(ids)}`,
    'for id; do',
    `  limited ${timeoutS} scontrol show job -o "$id" >"$dir/out" 2>"$dir/err" </dev/null`,
    '  code=$?',
    '  # one that hangs is asked once',
    '  [ "$code" -ne 124 ] || { echo "@ scontrol 124"; break; }',
    // the fields that count stand at its beginning
    '  cut -c1-4000 "$dir/out" | sed "s/^/@ record $id /"',
    '  echo "@ show $id $code $(hex_of "$dir/err")"',
    'done',
  ].join('\n');
}

const SACCT_COLUMNS = 'JobID,State,ExitCode,Reason,JobName%200';

/**
 * The controller knows better than accounting, which lags; that it has no such job any more is an answer,
 * and then the end that accounting tells counts.
 */
export function parseDetail(output: string, jobs: readonly JobRef[]): JobSight[] {
  const { lines } = splitReply(output);
  const rows = lines.filter(({ verb }) => verb === 'row').map(({ rest }) => sacctRow(rest));
  return jobs.map((job) => {
    const shown = shownOf(lines, job);
    if (shown.kind === 'pending' || shown.kind === 'running' || shown.kind === 'ended')
      return shown;
    const row = rows.find(({ listed, name }) => listed === job.id && name === job.name);
    const sight = row === undefined ? undefined : sightOf(row);
    return sight?.kind === 'ended' ? sight : shown;
  });
}

/** In a directory of their own: what a command prints may be large, and may be anything. */
const OUTPUT_FILES = `dir=$(mktemp -d 2>/dev/null) || { echo '@ squeue 1'; exit 0; }
trap 'rm -rf "$dir"' EXIT`;

function troubleOf(lines: readonly ReplyLine[], command: string): string | undefined {
  const line = lines.find(({ verb }) => verb === command);
  if (line === undefined) return `${command} gave no answer`;
  const [code = '', ...hex] = line.rest.split(' ');
  if (code === '0') return undefined;
  if (code === '124') return `${command} did not answer in time`;
  return `${command} failed (code ${code}): ${hexText(hex.join(' ')).trim()}`;
}

interface Row {
  listed: string;
  name: string;
  state: string;
  reason?: string | undefined;
  startsAt?: string | undefined;
  node?: string | undefined;
  exitCode?: string | undefined;
}

function rowOf(text: string): Row {
  const [listed = '', state = '', reason, startsAt, node, ...name] = text.split('|');
  return { listed, state, reason, startsAt, node, name: name.join('|') };
}

function sacctRow(text: string): Row {
  const [listed = '', state = '', exitCode, reason, ...name] = text.split('|');
  return { listed, state, exitCode, reason, name: name.join('|') };
}

function byName(rows: readonly Row[]): Map<string, Row[]> {
  const map = new Map<string, Row[]>();
  for (const row of rows) map.set(row.name, [...(map.get(row.name) ?? []), row]);
  return map;
}

/** What `scontrol show job` says of one job. */
function shownOf(lines: readonly ReplyLine[], { id, name }: JobRef): JobSight {
  const of = (wanted: string) =>
    lines.filter(({ verb, rest }) => verb === wanted && rest.startsWith(`${id} `));
  const [line] = of('show');
  if (line === undefined) return { kind: 'unknown', why: 'scontrol did not answer in time' };
  const [, code, ...hex] = line.rest.split(' ');
  const said = hexText(hex.join(' ')).trim();
  if (code !== '0') {
    if (/Invalid job id/i.test(said)) return { kind: 'denied', why: said };
    return { kind: 'unknown', why: `scontrol failed (code ${code}): ${said}` };
  }
  const records = of('record').map(({ rest }) => rest.slice(id.length + 1));
  if (records.length === 0) return { kind: 'unknown', why: 'scontrol answered nothing' };
  const record = records.find((text) => fieldOf(text, 'JobName') === name);
  if (record === undefined) return { kind: 'denied', why: `job ${id} is another one by now` };
  return sightOf({
    state: fieldOf(record, 'JobState') ?? '',
    reason: fieldOf(record, 'Reason'),
    startsAt: fieldOf(record, 'StartTime'),
    node: fieldOf(record, 'NodeList'),
    exitCode: fieldOf(record, 'ExitCode'),
  });
}

/** `Name=value` of a record on one line. */
function fieldOf(record: string, name: string): string | undefined {
  return new RegExp(`(?:^| )${name}=(\\S*)`).exec(record)?.[1];
}
