/** How far something has been brought, as wide as there is room: a bar, percent, bytes, and what it is. Pure. */
import { columnsOf, fitColumns } from '../../domain/columns.ts';
import type { ProgressView } from '../../protocol/views.ts';
import { oneLine, sizeText } from '../output/text.ts';

const BAR_MIN = 8;
const BAR_MAX = 24;
const WHAT_MIN = 6;
const SIZE_COLUMNS = '999.9 MiB'.length;
/** How much has to come until the mark of a bar without an end moves on. */
const STEP_BYTES = 256 * 1024;

/** `[=======>      ]  54%  12.3 MiB/22.8 MiB  reads.fq`; what does not fit is left out from the right. */
export function progressBar(progress: ProgressView, room: number): string {
  const { bytesDone, bytesTotal, what } = progress;
  const isKnown = bytesTotal !== undefined && bytesTotal > 0;
  const percent = isKnown ? `${Math.min(100, Math.floor((100 * bytesDone) / bytesTotal))}%` : '';
  const total = isKnown ? sizeText(bytesTotal) : '';
  // as wide as it will be in the end, so that the bar stays as it is
  const done = sizeText(bytesDone).padStart(isKnown ? total.length : SIZE_COLUMNS);
  const size = isKnown ? `${done}/${total}` : done;
  const words = [...(isKnown ? [percent.padStart(4)] : []), size];
  const left = room - columnsOf(words.map((word) => `  ${word}`).join(''));
  if (left < BAR_MIN) return fitColumns((words[0] ?? '').trim(), room);
  const name = shortened(nameOf(progress.step, oneLine(what)), left - BAR_MIN - 2);
  const width = Math.min(BAR_MAX, name === '' ? left : left - columnsOf(name) - 2);
  const bar = isKnown ? filledBar(bytesDone / bytesTotal, width) : endlessBar(bytesDone, width);
  return [bar, ...words, ...(name === '' ? [] : [name])].join('  ');
}

/** Nothing rather than a few letters of it. */
function shortened(name: string, room: number): string {
  const isWhole = columnsOf(name) <= room;
  return isWhole || room >= WHAT_MIN ? fitColumns(name, room) : '';
}

function filledBar(share: number, width: number): string {
  const room = width - 2;
  const filled = Math.min(room, Math.max(0, Math.floor(share * room)));
  const bar = filled === room ? '='.repeat(room) : `${'='.repeat(filled)}>`;
  return `[${bar.padEnd(room)}]`;
}

/** Nobody knows the end: a mark that goes to and fro while bytes come. */
function endlessBar(bytes: number, width: number): string {
  const mark = '<=>';
  const way = width - 2 - mark.length;
  const step = Math.floor(bytes / STEP_BYTES) % (2 * way);
  return `[${(' '.repeat(step > way ? 2 * way - step : step) + mark).padEnd(width - 2)}]`;
}

/** Of a local file the name will do. */
function nameOf(step: ProgressView['step'], what: string): string {
  return step === 'pull' ? what : what.slice(what.lastIndexOf('/') + 1);
}
