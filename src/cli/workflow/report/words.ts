/** Times, spans and verdicts of a report, as people read them. */
import { hasOwnFailure, type Report, type ReportTask } from '../../../workflow/report/report.ts';
import { sizeText, spanText } from '../../output/text.ts';

/** `2026-03-01 12:00:05 UTC`: a report is read elsewhere, too. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `0.25 s`, `4.2 s`, `12s`, `1m05s`. */
export function exactSpan(ms: number): string {
  if (ms >= 10_000) return spanText(ms);
  return `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;
}

export function verdictText({ isOver, tasks }: Report): string {
  const ended = tasks.filter(({ state }) => state === 'succeeded').length;
  if (!isOver) return `goes on: ${ended} of ${tasks.length} succeeded so far`;
  if (ended === tasks.length) return 'succeeded';
  const failed = tasks.filter(hasOwnFailure).length;
  if (failed === 0) return 'cancelled';
  return `failed: ${failed} of ${tasks.length} tasks`;
}

/** The state in whose colour the verdict is told. */
export function verdictState(report: Report): string {
  if (!report.isOver) return 'running';
  const word = verdictText(report);
  return word === 'succeeded' || word === 'cancelled' ? word : 'failed';
}

/** A column of the table: its head, and what it has to say of a task. */
export interface Column {
  head: string;
  cell: (task: ReportTask) => string;
}

const dash = (text: string | undefined): string => text ?? '-';
const span = (ms: number | undefined): string => dash(ms === undefined ? undefined : exactSpan(ms));
const size = (bytes: number | undefined): string =>
  dash(bytes === undefined ? undefined : sizeText(bytes));

/** After name and state. */
export const COLUMNS: readonly Column[] = [
  {
    head: 'host',
    cell: ({ host, attempts }) => dash(host ?? attempts.findLast((a) => a.host)?.host),
  },
  { head: 'exit', cell: ({ attempts }) => dash(attempts.at(-1)?.exitCode?.toString()) },
  { head: 'attempts', cell: ({ attempts }) => String(attempts.length) },
  { head: 'time', cell: ({ wallMs }) => span(wallMs) },
  { head: 'cpu', cell: ({ cpuMs }) => span(cpuMs) },
  { head: 'memory', cell: ({ maxRssBytes }) => size(maxRssBytes) },
  { head: 'in', cell: ({ stagedBytes }) => size(stagedBytes) },
  { head: 'out', cell: ({ collectedBytes }) => size(collectedBytes) },
];
/** Columns that say nothing of any task are left out. */
export function columnsFor({ tasks }: Report): Column[] {
  return COLUMNS.filter(({ cell }) => tasks.some((task) => cell(task) !== '-'));
}
