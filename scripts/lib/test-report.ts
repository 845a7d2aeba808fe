/** What vitest's JSON reporter wrote, and what follows from it. Pure, but for the reading of the file. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** `outside` are errors that belong to no test (outside-errors.ts). */
export type Report = z.infer<typeof report> & { outside: string[] };
type FileResult = Report['testResults'][number];

/** More than these in one run are no matter of what ran beside them. */
const MOST_AGAIN = 8;

export function readReport(file: string): Report {
  if (!existsSync(file)) {
    throw new Error(`vitest wrote no ${file}: it ended before its tests did`);
  }
  const outside = readFileSync(`${file}.outside`, 'utf8').split('\n').filter(Boolean);
  return { ...report.parse(JSON.parse(readFileSync(file, 'utf8'))), outside };
}

const hasFailed = ({ assertionResults }: FileResult): boolean =>
  assertionResults.some(({ status }) => status === 'failed');

/** A file that could not even be loaded, or whose hooks failed, has no failed test in it. */
const isBroken = (file: FileResult): boolean => file.status === 'failed' && !hasFailed(file);

/** Files to be run once more, with nothing beside them. None if too many failed for that to tell anything. */
export function filesToRepeat({ testResults }: Report): string[] {
  const failed = testResults.filter((file) => hasFailed(file) || isBroken(file));
  return failed.length > MOST_AGAIN ? [] : failed.map(({ name }) => name);
}

/**
 * The report with what a second run of some files, each alone, has shown: a test counts as passed that passed then.
 * Those are told by name: each is a defect of the test or of the product that shows beside others.
 */
export function withSecondRun(
  first: Report,
  again: Report,
): { report: Report; unsteady: string[] } {
  const second = new Map(again.testResults.map((file) => [file.name, file]));
  const unsteady: string[] = [];
  const testResults = first.testResults.map((file) => {
    const repeated = second.get(file.name);
    if (repeated === undefined) return file;
    const bad = new Set(failedNames(repeated));
    const passed = new Set(repeated.assertionResults.filter(isPassed).map((test) => test.fullName));
    if (isBroken(file)) {
      if (repeated.status === 'passed') unsteady.push(`all of ${file.name}`);
      return repeated;
    }
    const assertionResults = file.assertionResults.map((test) => {
      if (isPassed(test) && bad.has(test.fullName)) return { ...test, status: 'failed' };
      if (test.status !== 'failed' || !passed.has(test.fullName)) return test;
      unsteady.push(test.fullName);
      return { ...test, status: 'passed' };
    });
    const stillBad =
      isBroken(repeated) || assertionResults.some(({ status }) => status === 'failed');
    return { ...file, status: stillBad ? 'failed' : 'passed', assertionResults };
  });
  return { report: { testResults, outside: [...first.outside, ...again.outside] }, unsteady };
}

const isPassed = ({ status }: { status: string }): boolean => status === 'passed';

const failedNames = (file: FileResult): string[] =>
  file.assertionResults.filter(({ status }) => status === 'failed').map((test) => test.fullName);

/** The closing line and what is wrong; `allowed` are full names of tests that may be skipped, undefined where all may. */
export function judge(
  { testResults, outside }: Report,
  allowed: ReadonlySet<string> | undefined,
): { line: string; problems: string[] } {
  const tests = testResults.flatMap((result) => result.assertionResults);
  const passed = tests.filter(isPassed).length;
  const failedTests = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status));
  const broken = testResults.filter(isBroken);
  const problems = failedTests > 0 ? [`${failedTests} failed`] : [];
  problems.push(...broken.map((result) => `did not run to its end: ${result.name}`));
  if (passed + failedTests === 0) problems.push('no test ran');
  problems.push(...outside.map((error) => `an error outside the tests: ${error}`));
  for (const test of skipped.filter(({ fullName }) => allowed?.has(fullName) === false)) {
    problems.push(`skipped, which test/allowed-skips.txt does not allow: ${test.fullName}`);
  }
  const failed = failedTests + broken.length;
  return { line: `${passed} passed, ${failed} failed, ${skipped.length} skipped`, problems };
}
