/** Goal: texts for people are safe and aligned; the status line leaves no trace. Method: tables. */
import { expect, it } from 'vitest';
import { generateCliReference } from '../../../scripts/docs/cli.ts';
import { COMMANDS, verbOf } from '../../../src/cli/commands/table.ts';
import type { Sink } from '../../../src/cli/io.ts';
import { painter } from '../../../src/cli/output/colour.ts';
import {
  commandText,
  escapeControls,
  sizeText,
  spanText,
  table,
} from '../../../src/cli/output/text.ts';
import { createStatusLine, statusText } from '../../../src/cli/run/status-line.ts';
import type { EventView } from '../../../src/protocol/views.ts';

it('makes control and direction characters visible and leaves the rest', () => {
  expect(escapeControls('a\u001b[31m\u009b\u202eé😀\n\t')).toBe('a\\x1b[31m\\x9b\\u202eé😀\n\t');
});

it('aligns columns and cuts at the width', () => {
  expect(
    table(
      [
        ['A', 'BB'],
        ['ccc', 'd\ne'],
      ],
      80,
    ),
  ).toBe('A    BB\nccc  d\\ne\n');
  expect(table([['abcdef']], 4)).toBe('abc…\n');
});

it('writes spans, sizes and commands', () => {
  expect([500, 59_000, 61_000, 3_700_000, 90_000_000, -5].map(spanText)).toEqual([
    '1s',
    '59s',
    '1m01s',
    '1h01m',
    '1d01h',
    '0s',
  ]);
  expect([0, 1023, 1536, 2 ** 30].map(sizeText)).toEqual(['0 B', '1023 B', '1.5 KiB', '1.0 GiB']);
  expect(commandText(['sh', '-c', "it's"])).toBe("sh -c 'it'\\''s'");
});

function aSink(isTTY: boolean): Sink & { text: string } {
  return {
    isTTY,
    columns: 20,
    text: '',
    async write(chunk) {
      this.text += String(chunk);
    },
  };
}

const event = (state: string, data: Record<string, unknown> = {}): EventView => ({
  type: 'event',
  seq: 1,
  at: '',
  task: 't',
  attempt: 1,
  kind: 'k',
  state,
  data,
});

it('draws one line on a terminal, erases it before output, and nothing elsewhere', () => {
  const terminal = aSink(true);
  const line = createStatusLine(terminal);
  line.show(event('staging'));
  line.show(event('running'));
  line.erase();
  expect(terminal.text).toBe('\r\u001b[2Kstaging\r\u001b[2K');
  const file = aSink(false);
  createStatusLine(file).show(event('staging'));
  expect(file.text).toBe('');
});

it('says what is waited for', () => {
  const blocked = { host: 'vm', reason: 'SSH_HOST_UNREACHABLE', nextTryAt: 6000 };
  expect(statusText(event('staging', { blocked }), 1000)).toBe(
    'waiting for vm: SSH_HOST_UNREACHABLE, next try in 5s',
  );
  const progress: EventView = {
    type: 'progress',
    at: '',
    task: 't',
    progress: { step: 'stage', what: 'data.txt', bytesDone: 2 ** 20, bytesTotal: 2 ** 21 },
  };
  expect(statusText(progress)).toBe('staging data.txt 1.0 MiB/2.0 MiB');
});

it('colours only a terminal, and not with NO_COLOR', () => {
  const io = (env: Record<string, string>) => ({ env }) as never;
  expect(painter(io({}), aSink(true))('red', 'x')).toBe('\u001b[31mx\u001b[0m');
  expect(painter(io({ NO_COLOR: '1' }), aSink(true))('red', 'x')).toBe('x');
  expect(painter(io({}), aSink(false))('red', 'x')).toBe('x');
});

it('finds the verb among common options', () => {
  expect(verbOf(['--json', '--socket', '/s', 'ls'])).toBe('list');
  expect(verbOf(['--json'])).toBeUndefined();
});

it('documents every command, option and exit code', async () => {
  const text = await generateCliReference();
  for (const verb of Object.keys(COMMANDS).filter((name) => !name.startsWith('__'))) {
    expect(text).toContain(`## towline ${verb}`);
  }
  expect(text).toContain('`--idempotency-key <text>`');
  expect(text).toContain('| 125 |');
});
