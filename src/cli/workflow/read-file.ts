/** A workflow file, read and spread out with the values of the command line. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AppError } from '../../domain/failure.ts';
import type { Problem } from '../../workflow/problem.ts';
import { type ReadWorkflow, readWorkflowText } from '../../workflow/read.ts';
import { type Call, usage } from '../call.ts';
import { oneLine } from '../output/text.ts';

const STDIN_FD = 0;

/** @throws WORKFLOW_INVALID when it cannot be read; USAGE */
export async function readWorkflow(
  call: Call<{ set?: string[] }>,
  file: string,
): Promise<ReadWorkflow | { problems: Problem[] }> {
  const set = Object.fromEntries((call.options.set ?? []).map(pairOf));
  const directory = file === '-' ? call.io.cwd : dirname(resolve(call.io.cwd, file));
  return readWorkflowText(textOf(file, call.io.cwd), { set, directory });
}

/** @throws WORKFLOW_INVALID naming every problem */
export async function readWorkflowOrThrow(
  call: Call<{ set?: string[] }>,
  file: string,
): Promise<ReadWorkflow> {
  const read = await readWorkflow(call, file);
  if ('manifest' in read) return read;
  throw new AppError('WORKFLOW_INVALID', problemLines(file, read.problems).trimEnd(), {
    context: { file },
  });
}

/** As compilers say it. */
export function problemLines(file: string, problems: readonly Problem[]): string {
  return problems
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${oneLine(message)}\n`)
    .join('');
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) usage('workflow', `--set ${text}: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function textOf(file: string, cwd: string): string {
  try {
    return readFileSync(file === '-' ? STDIN_FD : resolve(cwd, file), 'utf8');
  } catch (error) {
    const why = `${file} cannot be read: ${(error as Error).message}`;
    throw new AppError('WORKFLOW_INVALID', why, { context: { file } });
  }
}
