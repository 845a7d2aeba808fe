/** One line an event, for people. */
import type { EventView } from '../../protocol/views.ts';
import { oneLine, sizeText } from './text.ts';

const DATA_CHARS_MAX = 200;

export function eventLine(event: EventView): string {
  if (event.type === 'host')
    return `${event.at}  ${event.seq}  host ${event.host} -> ${event.mode}\n`;
  if (event.type === 'gap')
    return `-  ${event.to}  some events after ${event.since} and up to here are not kept any more\n`;
  if (event.type === 'progress') {
    const { step, what, bytesDone } = event.progress;
    return `${event.at}  -  ${event.task}  ${step} ${oneLine(what)} ${sizeText(bytesDone)}\n`;
  }
  const data = Object.keys(event.data).length === 0 ? '' : `  ${JSON.stringify(event.data)}`;
  const head = `${event.at}  ${event.seq}  ${event.task}.${event.attempt}  ${event.kind} -> ${event.state}`;
  return `${head}${oneLine(data.slice(0, DATA_CHARS_MAX))}\n`;
}
