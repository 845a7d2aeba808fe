/** Tasks from a file: JSON, YAML or NDJSON. What the tasks mean is checked by the daemon. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../domain/failure.ts';
import type { WireTaskSpec } from '../protocol/spec-schema.ts';

const STDIN_FD = 0;

/** The tasks of a file, or of stdin for `-`. @throws TASK_INVALID naming file and line */
export async function readTasksFile(file: string, cwd: string): Promise<WireTaskSpec[]> {
  const text = readText(file, cwd);
  const value = /\.ya?ml$/i.test(file) ? await parseYaml(file, text) : parseJson(file, text);
  const tasks = Array.isArray(value) ? value : listIn(value);
  if (tasks.length === 0) throw invalid(file, 'has no task in it');
  return tasks as WireTaskSpec[];
}

function listIn(value: unknown): unknown[] {
  const inner = (value as { tasks?: unknown } | null)?.tasks;
  return Array.isArray(inner) ? inner : [value];
}

function readText(file: string, cwd: string): string {
  try {
    return readFileSync(file === '-' ? STDIN_FD : resolve(cwd, file), 'utf8');
  } catch (error) {
    throw invalid(file, `cannot be read: ${(error as Error).message}`);
  }
}

/** One JSON value, or one a line. */
function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length < 2) throw invalid(file, (error as Error).message);
    return text.split('\n').flatMap((line, index) => parseLine(file, line, index + 1));
  }
}

function parseLine(file: string, line: string, number: number): unknown[] {
  if (line.trim() === '') return [];
  try {
    return [JSON.parse(line) as unknown];
  } catch (error) {
    throw invalid(`${file}:${number}`, (error as Error).message);
  }
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw invalid(file, (error as Error).message);
  }
}

function invalid(file: string, reason: string): AppError {
  return new AppError('TASK_INVALID', `${file}: ${reason}`, { context: { file } });
}
