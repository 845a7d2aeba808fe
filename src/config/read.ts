/** Finds and reads the configuration files: bytes to text, nothing more. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Problem } from './problem.ts';

/** No configuration is as long as this; a wrong path given by mistake may be. */
const FILE_BYTES_MAX = 1_048_576;

export interface SourceFile {
  file: string;
  text: string;
}

export interface FileChoice {
  /** The files to read, all of which must be there. Default: $TOWLINE_CONFIG, else the two usual ones where they exist. */
  files?: readonly string[] | undefined;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
}

/** Reads the chosen files in order; a file that cannot be read is a problem, not an exception. */
export function readFiles(choice: FileChoice): { sources: SourceFile[]; problems: Problem[] } {
  const named =
    choice.files ?? (choice.env['TOWLINE_CONFIG'] ? [choice.env['TOWLINE_CONFIG']] : undefined);
  const usual = ['/etc/towline/towline.ini', join(choice.home, '.config/towline/towline.ini')];
  const sources: SourceFile[] = [];
  const problems: Problem[] = [];
  for (const path of new Set((named ?? usual).map((name) => resolve(name)))) {
    const read = readText(path);
    if ('text' in read) sources.push({ file: path, text: read.text });
    else if (named !== undefined || !read.missing) problems.push(read.problem);
  }
  return { sources, problems };
}

function readText(file: string): { text: string } | { missing: boolean; problem: Problem } {
  const place = { file, line: 0 };
  try {
    const bytes = readFileSync(file);
    if (bytes.length > FILE_BYTES_MAX) {
      const what = `is ${bytes.length} bytes long; a configuration file has at most ${FILE_BYTES_MAX}`;
      return { missing: false, problem: { code: 'CONFIG_FILE_UNREADABLE', place, what } };
    }
    const line = firstLineNotUtf8(bytes);
    if (line !== undefined) {
      const what = 'the line is not UTF-8 text';
      return { missing: false, problem: { code: 'CONFIG_SYNTAX', place: { file, line }, what } };
    }
    return { text: bytes.toString('utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const problem: Problem = {
      code: 'CONFIG_FILE_UNREADABLE',
      place,
      what: reason(code, String(error)),
    };
    return { missing: code === 'ENOENT', problem };
  }
}

function firstLineNotUtf8(bytes: Buffer): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const isUtf8 = (part: Uint8Array): boolean => {
    try {
      decoder.decode(part);
      return true;
    } catch {
      return false;
    }
  };
  if (isUtf8(bytes)) return undefined;
  let start = 0;
  for (let line = 1; ; line += 1) {
    const end = bytes.indexOf('\n', start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

function reason(code: string, text: string): string {
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'you have no permission to read it',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is not a directory',
  };
  return `cannot be read: ${known[code] ?? text}`;
}
