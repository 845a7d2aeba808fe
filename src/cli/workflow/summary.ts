/** How a workflow has ended: counts, and each task that did not succeed with its code and what to do. */
import { STATE_KINDS } from '../../domain/state.ts';
import type { TaskView } from '../../protocol/views.ts';
import { oneLine } from '../output/text.ts';
import { countsText, hasFailed, type Row } from './board.ts';

export function summaryText(rows: readonly Row[], views: readonly TaskView[]): string {
  const byId = new Map(views.map((view) => [view.id, view]));
  const lines = rows.filter(hasFailed).map((row) => failedText(row, byId.get(row.id)));
  return `towline: ${rows.length} tasks: ${countsText(rows, STATE_KINDS)}\n${lines.join('')}`;
}

function failedText({ name, id, state }: Row, view: TaskView | undefined): string {
  const failure = view?.failure;
  if (failure === undefined) return `${name} (${id}): ${state}\n`;
  return `${name} (${id}): ${failure.code}: ${oneLine(failure.message)}\nhint: ${oneLine(failure.hint)}\n`;
}
