/** One picture of the table: as many rows as there is room for, the busy ones first. Pure. */
import { STATE_KINDS } from '../../domain/state.ts';
import { type Paint, stateColour } from '../output/colour.ts';
import { cutTo, oneLine, spanText } from '../output/text.ts';
import { countsText, hasEnded, hasFailed, NOT_STARTED, type Row } from './board.ts';

export interface FrameOptions {
  now: number;
  width: number;
  height: number;
  paint: Paint;
  /** One more line at the end. */
  below?: string | undefined;
}

const HEAD = ['NAME', 'STATE', 'HOST', 'TIME', ''];
/** The head, the line of what is left out, the counts. */
const FIXED_LINES = 3;
const NAME_WIDTH_MAX = 30;

export function tableFrame(rows: readonly Row[], options: FrameOptions): string[] {
  const room = Math.max(1, options.height - FIXED_LINES - (options.below === undefined ? 0 : 1));
  const shown = chosen(rows, room);
  const cells = shown.map((row) => cellsOf(row, options.now));
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const hidden = rows.length - shown.length;
  return [
    options.paint('bold', cutTo(line(HEAD), options.width)),
    ...shown.map((row, index) =>
      painted(cutTo(line(cells[index] ?? []), options.width), row, options.paint),
    ),
    ...(hidden > 0 ? [options.paint('dim', `… and ${hidden} more`)] : []),
    cutTo(`${rows.length} tasks: ${countsText(rows, STATE_KINDS)}`, options.width),
    ...(options.below === undefined ? [] : [cutTo(oneLine(options.below), options.width)]),
  ];
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
  const note = hasFailed(row) ? (row.code ?? '') : (row.note ?? '');
  return [cutTo(row.name, NAME_WIDTH_MAX), state, row.host ?? '-', time, oneLine(note)];
}

/** The state alone is coloured: columns keep their width, as colours have none. */
function painted(line: string, { state }: Row, paint: Paint): string {
  const at = line.indexOf(`  ${state}`);
  if (at < 0) return line;
  const end = at + 2 + state.length;
  return `${line.slice(0, at + 2)}${paint(stateColour(state), state)}${line.slice(end)}`;
}
