/**
 * Prints the one line that ends a test run, `N passed, N failed, N skipped`, from the file of vitest's
 * JSON reporter. Fails when a test failed, when none ran, and in CI when one was skipped that
 * test/allowed-skips.txt does not name: a skipped test must never look like a passed one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';

const report = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

type Report = z.infer<typeof report>;

function readReport(file: string): Report {
  if (!existsSync(file)) {
    throw new Error(`vitest wrote no ${file}: it ended before its tests did`);
  }
  return report.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** One full test name a line; empty lines and lines that begin with # do not count. */
function allowedSkips(): Set<string> {
  const file = join(import.meta.dirname, '../../test/allowed-skips.txt');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return new Set(lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#')));
}

function judge({ success, testResults }: Report): { line: string; problems: string[] } {
  const tests = testResults.flatMap((result) => result.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failedTests = tests.filter((test) => test.status === 'failed').length;
  const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status));
  // a file that could not even be loaded has no failed test in it
  const broken = testResults.filter(
    (result) =>
      result.status === 'failed' &&
      !result.assertionResults.some((test) => test.status === 'failed'),
  );
  const problems = broken.map((result) => `did not run to its end: ${result.name}`);
  if (passed + failedTests === 0) problems.push('no test ran');
  if (!success && failedTests + broken.length === 0) problems.push('an error outside the tests');
  if (process.env['CI'] === 'true') {
    const allowed = allowedSkips();
    for (const test of skipped.filter((each) => !allowed.has(each.fullName))) {
      problems.push(`skipped, which test/allowed-skips.txt does not allow: ${test.fullName}`);
    }
  }
  const failed = failedTests + broken.length;
  return {
    line: `${passed} passed, ${failed} failed, ${skipped.length} skipped`,
    problems: failedTests > 0 ? [`${failedTests} failed`, ...problems] : problems,
  };
}

function main(file: string | undefined): number {
  try {
    const { line, problems } = judge(readReport(file ?? ''));
    for (const problem of problems) console.error(`tests: ${problem}`);
    console.log(line);
    return problems.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`tests: ${error instanceof Error ? error.message : String(error)}`);
    console.log('0 passed, 1 failed, 0 skipped');
    return 1;
  }
}

process.exitCode = main(process.argv[2]);
