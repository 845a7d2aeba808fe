/**
 * Goal: no text crashes the loader, and what is written comes back. Method: random files (raw text, and
 * lines that look like configuration) give a Config or an AppError that names a line of the file; values
 * written by the formatters load as themselves.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScan } from '../../../src/config/check.ts';
import { describeConfig } from '../../../src/config/describe.ts';
import { explainProblem } from '../../../src/config/explain.ts';
import { CONTROL_CHARACTER } from '../../../src/config/problem.ts';
import { scanIni } from '../../../src/config/scan.ts';
import { quoteValue } from '../../../src/config/scan-value.ts';
import { joinWords, splitWords } from '../../../src/config/words.ts';
import { isAppError } from '../../../src/domain/failure.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/domain/units.ts';
import { HOME, load } from './support.ts';

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
);
const section = fc.constantFrom(
  '[daemon]',
  '[defaults]',
  '[host.vm]',
  '[ssh]',
  '[host.a.b]',
  '[__proto__]',
  '[',
  ' [ssh] # x',
);
const key = fc.constantFrom(
  'state_dir',
  'port',
  'user',
  'setup',
  'time',
  'remote_ip',
  'host',
  '__proto__',
  'constructor',
  'x[]',
  '',
);
const value = fc.oneof(
  anyText,
  fc.constantFrom(
    '22',
    '10s',
    '~/x',
    '"a"',
    "'a'",
    '"',
    "'",
    'a;b',
    'a # b',
    '\\#',
    'null',
    "'[1]'",
  ),
);
const line = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(key, value).map(([name, text]) => `${name} = ${text}`) },
  { weight: 2, arbitrary: section },
  { weight: 1, arbitrary: anyText },
);
const file = fc.oneof(
  anyText,
  fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n')),
);
const plainValue = anyText.filter(
  (text) => text.trim() !== '' && !CONTROL_CHARACTER.test(text) && text.isWellFormed(),
);

describe('random files', () => {
  it('give a Config or an error with the line of each problem', () => {
    let taken = 0;
    fc.assert(
      fc.property(file, (text) => {
        const error = outcome(text);
        if (error === undefined) taken += 1;
        const lines = text.split('\n').length;
        expect(error).toSatisfy((it: unknown) => it === undefined || isExplained(it, lines));
      }),
      { numRuns: 400 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('never have a value that differs from what stands in the line', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const scan = scanIni('a.ini', lines.join('\n'));
        const { settings } = checkScan(scan, { home: HOME });
        for (const { place, value: read } of settings.filter(
          (setting) => setting.key === 'setup',
        )) {
          const written = lines.join('\n').split('\n')[place.line - 1] ?? '';
          const raw = written.slice(written.indexOf('=') + 1).trim();
          expect([raw, raw.slice(1, -1), quoted(raw)]).toContain(read);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never put a control character of the file into a message', () => {
    fc.assert(
      fc.property(file, (text) => {
        for (const problem of scanIni('a.ini', text).problems) {
          expect(explainProblem(problem)).not.toMatch(CONTROL_CHARACTER);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('round trips', () => {
  it('any text without control characters, written by quoteValue, is read as itself', () => {
    fc.assert(
      fc.property(plainValue, (text) => {
        expect(load(`[host.vm]\nsetup = ${quoteValue(text)}`).hosts['vm']?.setup).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('any arguments', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        expect(splitWords(joinWords(words))).toEqual({ value: words });
      }),
    );
  });

  it('any number of bytes and milliseconds', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        expect(parseSize(formatSize(count))).toEqual({ value: count });
        expect(parseDuration(formatDuration(count))).toEqual({ value: count });
      }),
    );
  });

  it('what describeConfig writes loads as the same configuration', () => {
    fc.assert(
      fc.property(
        fc.record({
          setup: plainValue,
          words: fc.array(plainValue),
          bytes: fc.maxSafeNat(),
          ms: fc.integer({ min: 1_000, max: 1e11 }),
        }),
        ({ setup, words, bytes, ms }) => {
          const first = load(
            `[host.vm]\nsetup = ${quoteValue(setup)}\nmemory = ${bytes}\n[defaults]\ntime = ${ms}ms\n` +
              (words.length === 0
                ? ''
                : `[host.b]\nruntime_args = ${quoteValue(joinWords(words))}`),
          );
          const { sources: _, files: __, ...again } = load(write(describeConfig(first)));
          expect(first).toMatchObject(again);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function outcome(text: string): unknown {
  try {
    load(text);
    return undefined;
  } catch (error) {
    return error;
  }
}

function isExplained(error: unknown, lines: number): boolean {
  if (!isAppError(error)) return false;
  const line = error.context['line'];
  const placed = typeof line === 'number' && line >= 1 && line <= lines;
  return placed && error.code.startsWith('CONFIG_') && /a\.ini:\d+: /.test(error.message);
}

function quoted(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

function write(rows: ReturnType<typeof describeConfig>): string {
  const sections = Map.groupBy(rows, (row) => row.section);
  return [...sections]
    .map(([name, keys]) => {
      const lines = keys
        .filter((row) => row.value !== null)
        .map((row) => `${row.key} = ${row.value}`);
      return [`[${name}]`, ...lines].join('\n');
    })
    .join('\n');
}
