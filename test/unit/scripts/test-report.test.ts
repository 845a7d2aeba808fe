/**
 * Goal: what closes a run of all tests counts right, also after what failed has run once more alone: broken stays
 * broken, unsteady is told, an error outside the tests is never lost. Method: reports as vitest writes them.
 */
import { describe, expect, it } from 'vitest';
import {
  filesToRepeat,
  judge,
  type Report,
  withSecondRun,
} from '../../../scripts/lib/test-report.ts';

type Tests = Record<string, 'passed' | 'failed' | 'skipped'>;

const fileOf = (name: string, tests: Tests, status?: string): Report['testResults'][number] => ({
  name,
  status: status ?? (Object.values(tests).includes('failed') ? 'failed' : 'passed'),
  assertionResults: Object.entries(tests).map(([fullName, each]) => ({ fullName, status: each })),
});

const reportOf = (files: Report['testResults'], outside: string[] = []): Report => ({
  testResults: files,
  outside,
});

const NOTHING_ALLOWED = new Set<string>();

describe('one run', () => {
  it('counts what passed, failed and was skipped', () => {
    const report = reportOf([fileOf('a', { one: 'passed', two: 'failed', three: 'skipped' })]);
    expect(judge(report, undefined)).toEqual({
      line: '1 passed, 1 failed, 1 skipped',
      problems: ['1 failed'],
    });
  });

  it.each([
    ['no test at all', reportOf([]), 'no test ran'],
    [
      'a file that did not load',
      reportOf([fileOf('a', {}, 'failed')]),
      'did not run to its end: a',
    ],
    [
      'a hook that failed',
      reportOf([fileOf('a', { one: 'skipped' }, 'failed')]),
      'did not run to its end: a',
    ],
    [
      'a skipped test',
      reportOf([fileOf('a', { one: 'passed', two: 'skipped' })]),
      /^skipped.*: two$/,
    ],
    [
      'an error of no test',
      reportOf([fileOf('a', { one: 'passed' })], ['bang']),
      /outside the tests: bang$/,
    ],
  ])('%s is a problem', (_, report, problem) => {
    expect(judge(report, NOTHING_ALLOWED).problems).toContainEqual(
      typeof problem === 'string' ? problem : expect.stringMatching(problem),
    );
  });

  it('a skip that is allowed is none', () => {
    const report = reportOf([fileOf('a', { one: 'passed', two: 'skipped' })]);
    expect(judge(report, new Set(['two'])).problems).toEqual([]);
  });
});

describe('what failed, alone', () => {
  const first = reportOf([
    fileOf('steady', { s: 'passed' }),
    fileOf('shaky', { a: 'failed', b: 'passed' }),
    fileOf('hooks', { h: 'skipped' }, 'failed'),
  ]);

  it('is the files with a failed test and those that did not run', () => {
    expect(filesToRepeat(first)).toEqual(['shaky', 'hooks']);
  });

  it('is nothing where many failed', () => {
    const many = Array.from({ length: 9 }, (_, i) => fileOf(`f${i}`, { t: 'failed' }));
    expect(filesToRepeat(reportOf(many))).toEqual([]);
  });

  it('passed then: counted as passed, told by name', () => {
    const again = reportOf([
      fileOf('shaky', { a: 'passed', b: 'passed' }),
      fileOf('hooks', { h: 'passed' }),
    ]);
    const { report, unsteady } = withSecondRun(first, again);
    expect(unsteady).toEqual(['a', 'all of hooks']);
    expect(judge(report, NOTHING_ALLOWED)).toEqual({
      line: '4 passed, 0 failed, 0 skipped',
      problems: [],
    });
  });

  it.each<[string, Report['testResults']]>([
    [
      'failed again',
      [fileOf('shaky', { a: 'failed', b: 'passed' }), fileOf('hooks', { h: 'passed' })],
    ],
    [
      'another of the file failed',
      [fileOf('shaky', { a: 'passed', b: 'failed' }), fileOf('hooks', { h: 'passed' })],
    ],
    [
      'was skipped',
      [fileOf('shaky', { a: 'skipped', b: 'passed' }), fileOf('hooks', { h: 'passed' })],
    ],
    ['its file did not load', [fileOf('shaky', {}, 'failed'), fileOf('hooks', { h: 'passed' })]],
    ['its file was not run', [fileOf('hooks', { h: 'passed' })]],
    [
      'the hook failed again',
      [fileOf('shaky', { a: 'passed', b: 'passed' }), fileOf('hooks', { h: 'skipped' }, 'failed')],
    ],
  ])('%s: a problem', (_, files) => {
    const { report } = withSecondRun(first, reportOf(files));
    expect(judge(report, undefined).problems).not.toEqual([]);
    expect(judge(report, undefined).line).toMatch(/ 1 failed, /);
  });

  it('an error outside the tests stays one, from either run', () => {
    const passed = [
      fileOf('shaky', { a: 'passed', b: 'passed' }),
      fileOf('hooks', { h: 'passed' }),
    ];
    for (const [before, after] of [
      [['bang'], []],
      [[], ['bang']],
    ] as [string[], string[]][]) {
      const { report } = withSecondRun({ ...first, outside: before }, reportOf(passed, after));
      expect(judge(report, undefined).problems).toEqual(['an error outside the tests: bang']);
    }
  });
});
