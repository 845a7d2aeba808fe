/** Prints the files of vitest's JSON report that are worth a second run alone, a line each. */
import process from 'node:process';
import { filesToRepeat, readReport } from './test-report.ts';

for (const file of filesToRepeat(readReport(process.argv[2] ?? ''))) console.log(file);
