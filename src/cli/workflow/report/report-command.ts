/** The course of `towline workflow report`: ask the daemon, work it out, print or write it. */
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../../domain/failure.ts';
import type { Call } from '../../call.ts';
import { printJson } from '../../output/json.ts';
import { collectReport } from './collect.ts';

export interface ReportOptions {
  html?: string;
}

/** `--html -` is stdout. @throws WORKFLOW_RUN_UNKNOWN REPORT_WRITE_FAILED DAEMON_NOT_RUNNING */
export async function reportRun(call: Call<ReportOptions>, run: string): Promise<void> {
  const report = await collectReport(await call.client(), run);
  const { html } = call.options;
  if (html !== undefined) {
    const { reportPage } = await import('./page.ts');
    const page = reportPage(report);
    if (html === '-') return call.io.out.write(page);
    await writeWhole(resolve(call.io.cwd, html), page);
  }
  if (call.json) {
    const { reportJson } = await import('./report-json.ts');
    return printJson(call.io, reportJson(report));
  }
  if (html !== undefined) return;
  const { reportText } = await import('./report-text.ts');
  await call.io.out.write(reportText(report));
}

/** A page that is looked at meanwhile is the old one or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await writeFile(part, text, { flag: 'wx' });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    const why = `the report cannot be written to ${path}: ${(error as Error).message}`;
    throw new AppError('REPORT_WRITE_FAILED', why, { context: { path } });
  }
}
