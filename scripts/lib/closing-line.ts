/**
 * Prints the one line that ends a test run, `N passed, N failed, N skipped`, from the files of vitest's
 * JSON reporter and outside-errors.ts, and before it what is wrong. A second file is of a second run of those files alone that had failed
 * beside others: what passed then is counted as passed, and told by name. Fails when a test failed, when none ran, and in
 * CI when one was skipped that test/allowed-skips.txt does not name: a skipped test must never look like a passed one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { judge, readReport, withSecondRun } from './test-report.ts';

/** One full test name a line; empty lines and lines that begin with # do not count. */
function allowedSkips(): Set<string> {
  const file = join(import.meta.dirname, '../../test/allowed-skips.txt');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return new Set(lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#')));
}

function main(file = '', again = ''): number {
  try {
    const first = readReport(file);
    const seen = existsSync(again)
      ? withSecondRun(first, readReport(again))
      : { report: first, unsteady: [] };
    for (const name of seen.unsteady) {
      console.error(`tests: failed beside others, passed alone; to be looked into: ${name}`);
    }
    const allowed = process.env['CI'] === 'true' ? allowedSkips() : undefined;
    const { line, problems } = judge(seen.report, allowed);
    for (const problem of problems) console.error(`tests: ${problem}`);
    console.log(line);
    return problems.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`tests: ${error instanceof Error ? error.message : String(error)}`);
    console.log('0 passed, 1 failed, 0 skipped');
    return 1;
  }
}

process.exitCode = main(process.argv[2], process.argv[3]);
