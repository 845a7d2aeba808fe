/** What is seen of a workflow that runs: a table on a terminal, lines elsewhere, JSON for programs. */
import type { Call } from '../call.ts';
import { printJsonLine } from '../output/json.ts';
import { hasFailed, type Row } from './board.ts';
import { createLiveTable } from './live-table.ts';
import { beginText, connectionText, type Show, type Shown } from './show.ts';
import { summaryText } from './summary.ts';

export function createShow(call: Call, shown: Shown): Show {
  if (call.json) return jsonShow(call, shown);
  const { env, out } = call.io;
  return out.isTTY && env['TERM'] !== 'dumb' ? createLiveTable(call, shown) : lineShow(call, shown);
}

function lineShow({ io }: Call, { board }: Shown): Show {
  const change = (row: Row): Promise<void> => io.out.write(lineOf(row));
  const say = sayOn(io.err);
  return {
    async begin(begin) {
      await io.err.write(beginText(begin, board.rows.length));
      for (const row of board.rows) await change(row);
    },
    event: async (_event, row) => row && change(row),
    change,
    connection: (state) => say(connectionText(state)),
    say,
    end: (failed) => io.err.write(summaryText(board.rows, failed)),
    close: () => {},
  };
}

function jsonShow({ io }: Call, { board }: Shown): Show {
  return {
    begin: (begin) =>
      printJsonLine(io, {
        type: 'begin',
        ...begin,
        tasks: board.rows.map(({ name, id, state }) => ({ name, id, state })),
      }),
    async event(event) {
      const name = 'task' in event ? board.row(event.task)?.name : undefined;
      if (name !== undefined) await printJsonLine(io, { ...event, name });
    },
    change: (row) => printJsonLine(io, { type: 'task', ...row }),
    connection: () => {},
    say: sayOn(io.err),
    end: (failed) =>
      printJsonLine(io, {
        type: 'end',
        ok: !board.rows.some(hasFailed),
        counts: Object.fromEntries(
          [...Map.groupBy(board.rows, ({ state }) => state)].map(([state, rows]) => [
            state,
            rows.length,
          ]),
        ),
        failed: failed.map(({ name, id, state, failure }) => ({ name, id, state, failure })),
      }),
    close: () => {},
  };
}

/** `NAME  state  host  CODE`. */
function lineOf({ name, state, host, code, attempt }: Row): string {
  const again = attempt > 1 ? `  attempt ${attempt}` : '';
  return `${name}  ${state}  ${host ?? '-'}${code === undefined ? '' : `  ${code}`}${again}\n`;
}

function sayOn(sink: Call['io']['err']): (text: string) => void {
  return (text) => void sink.write(`towline: ${text}\n`).catch(() => {});
}
