/** One picture of the table: as many rows as there is room for, the busy ones first. Pure. */
import { columnsOf, fitColumns, padColumns } from '../../domain/columns.ts';
import { STATE_KINDS } from '../../domain/state.ts';
import { type Paint, stateColour } from '../output/colour.ts';
import { oneLine, spanText } from '../output/text.ts';
import { countsText, hasEnded, hasFailed, NOT_STARTED, type Row } from './board.ts';
import { progressBar } from './progress-bar.ts';

export interface FrameOptions {
  now: number;
  width: number;
  height: number;
  paint: Paint;
  /** One more line at the end. */
  below?: string | undefined;
}

const HEAD = ['NAME', 'STATE', 'HOST', 'TIME'];
/** The head, the line of what is left out, the counts. */
const FIXED_LINES = 3;
const NAME_COLUMNS_MAX = 30;
const HOST_COLUMNS_MAX = 20;
const GAP = '  ';

/** No line is wider than the width, and there are no more lines than the height. */
export function tableFrame(rows: readonly Row[], options: FrameOptions): string[] {
  const { width, height, paint, below, now } = options;
  const room = Math.max(1, height - FIXED_LINES - (below === undefined ? 0 : 1));
  const shown = chosen(rows, room);
  const cells = shown.map((row) => cellsOf(row, now));
  const widths = HEAD.map((head, at) =>
    Math.max(head.length, ...cells.map((row) => columnsOf(row[at] ?? ''))),
  );
  const joined = (row: readonly string[]): string =>
    row.map((cell, at) => padColumns(cell, widths[at] ?? 0)).join(GAP);
  const hidden = rows.length - shown.length;
  const lines = [
    paint('bold', fitColumns(joined(HEAD).trimEnd(), width)),
    ...shown.map((row, index) => {
      const text = joined(cells[index] ?? []);
      const note = noteOf(row, width - columnsOf(text) - GAP.length);
      const stateAt = padColumns(cells[index]?.[0] ?? '', widths[0] ?? 0).length + GAP.length;
      return painted(fitColumns(`${text}${GAP}${note}`.trimEnd(), width), { row, stateAt, paint });
    }),
    ...(hidden > 0 ? [paint('dim', fitColumns(`… and ${hidden} more`, width))] : []),
    fitColumns(`${rows.length} tasks: ${countsText(rows, STATE_KINDS)}`, width),
    ...(below === undefined ? [] : [fitColumns(oneLine(below), width)]),
  ];
  return lines.slice(-Math.max(1, height));
}

/** In the order of the file; where there is no room for all, those that tell most. */
function chosen(rows: readonly Row[], room: number): Row[] {
  if (rows.length <= room) return [...rows];
  const best = new Set([...rows].sort((a, b) => weight(a) - weight(b)).slice(0, room));
  return rows.filter((row) => best.has(row));
}

function weight(row: Row): number {
  if (hasFailed(row))
    return row.code === 'TASK_PREDECESSOR_FAILED' || row.code === undefined ? 3 : 1;
  if (hasEnded(row)) return 4;
  return NOT_STARTED.includes(row.state) ? 2 : 0;
}

function cellsOf(row: Row, now: number): string[] {
  const state = row.attempt > 1 ? `${row.state} (${row.attempt})` : row.state;
  const time = row.startedAt === undefined ? '-' : spanText((row.endedAt ?? now) - row.startedAt);
  return [
    fitColumns(oneLine(row.name), NAME_COLUMNS_MAX),
    state,
    fitColumns(oneLine(row.host ?? '-'), HOST_COLUMNS_MAX),
    time,
  ];
}

/** Why it failed; how far what it needs has been brought; the last line it printed. */
function noteOf(row: Row, room: number): string {
  if (room < 1) return '';
  if (hasFailed(row)) return fitColumns(row.code ?? '', room);
  if (row.progress !== undefined) return progressBar(row.progress, room);
  return fitColumns(oneLine(row.note ?? ''), room);
}

interface Painting {
  row: Row;
  stateAt: number;
  paint: Paint;
}

/** The state alone is coloured: columns keep their width, as colours have none. */
function painted(line: string, { row, stateAt, paint }: Painting): string {
  const end = stateAt + row.state.length;
  if (line.slice(stateAt, end) !== row.state) return line;
  return line.slice(0, stateAt) + paint(stateColour(row.state), row.state) + line.slice(end);
}
