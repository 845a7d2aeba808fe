/** A report on a terminal or in a pipe. */
import { columnsOf, padColumns } from '../../../domain/columns.ts';
import { hasOwnFailure, type Report, type ReportTask } from '../../../workflow/report/report.ts';
import { lastWords } from '../../output/last-words.ts';
import { oneLine } from '../../output/text.ts';
import { columnsFor, exactSpan, timeText, verdictText } from './words.ts';

export function reportText(report: Report): string {
  const { workflow, run, from, to, counts, tasks } = report;
  const told = counts.map(([state, count]) => `${count} ${state}`).join(', ');
  const head = [
    `${oneLine(workflow)} ${verdictText(report)}`,
    `workflow-run=${oneLine(run)}, ${timeText(from)}, ${exactSpan(to - from)}`,
    `${tasks.length} tasks: ${told}`,
  ];
  const failed = tasks.filter(({ failure }) => failure !== undefined);
  const [own, others] = [failed.filter(hasOwnFailure), failed.filter((t) => !hasOwnFailure(t))];
  return [
    `${head.join('\n')}\n\n`,
    tableText(report),
    ...own.map((task) => `\n${failureText(task)}${lastWords(task)}`),
    ...(others.length === 0 ? [] : [`\n${others.map(failureText).join('')}`]),
  ].join('');
}

function tableText(report: Report): string {
  const columns = columnsFor(report);
  const heads = ['name', 'state', ...columns.map(({ head }) => head)].map((h) => h.toUpperCase());
  const rows = report.tasks.map((task) =>
    [task.name, task.state, ...columns.map(({ cell }) => cell(task))].map(oneLine),
  );
  const all = [heads, ...rows];
  const widths = heads.map((_, at) => Math.max(...all.map((row) => columnsOf(row[at] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => padColumns(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

function failureText({ name, id, failure }: ReportTask): string {
  if (failure === undefined) return '';
  const { code, message, hint } = failure;
  return `${oneLine(name)} (${id}): ${code}: ${oneLine(message)}\nhint: ${oneLine(hint)}\n`;
}
