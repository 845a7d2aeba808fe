/** What is told of a workflow that runs, whatever it looks like. */
import type { Client } from '../../client/client.ts';
import type { EventView, TaskView } from '../../protocol/views.ts';
import { oneLine } from '../output/text.ts';
import type { Board, Row } from './board.ts';

export interface Begin {
  workflow: string;
  run: string;
  created: boolean;
}

export interface Show {
  begin(begin: Begin): Promise<void>;
  /** `row` when it changed by the event. */
  event(event: EventView, row: Row | undefined): Promise<void>;
  change(row: Row): Promise<void>;
  connection: (state: 'lost' | 'back') => void;
  say(text: string): void;
  end(failed: readonly TaskView[]): Promise<void>;
  close(): void;
}

export interface Shown {
  board: Board;
  client: Client;
  signal: AbortSignal;
}

/** With the id that a report is asked for by. */
export function beginText({ workflow, run, created }: Begin, count: number): string {
  const what = created ? 'submitted' : 'followed: submitted before';
  return `towline: ${oneLine(workflow)}: ${count} tasks ${what}, workflow-run=${run}\n`;
}

export function connectionText(state: 'lost' | 'back'): string {
  return state === 'lost' ? 'the daemon went away; waiting for it' : 'the daemon is back';
}
