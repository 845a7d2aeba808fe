/** Writes configuration files into a directory of their own and loads them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { type AppError, isAppError } from '../../../src/domain/failure.ts';

export const HOME = '/home/alice';

export interface Given {
  env?: Record<string, string>;
  home?: string;
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'towline-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes a file, its directories included, and gives its path. */
export function writeText(path: string, content: string | Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Loads the texts as files a.ini, b.ini, … in this order. */
export function load(texts: string | Uint8Array | readonly string[], given: Given = {}): Config {
  const directory = temporaryDirectory();
  const all = typeof texts === 'string' || texts instanceof Uint8Array ? [texts] : texts;
  const files = all.map((text, index) =>
    writeText(join(directory, `${String.fromCharCode(97 + index)}.ini`), text),
  );
  return loadConfig({ files, env: given.env ?? {}, home: given.home ?? HOME });
}

/** The error that loading gives; fails the test when it gives none. */
export function refusal(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  throw new Error('expected an AppError, but the configuration was taken');
}

/** The lines of a refusal without the directory: `a.ini:2: [host.vm] prot: …`. */
export function complaints(
  texts: string | Uint8Array | readonly string[],
  given: Given = {},
): string[] {
  return refusal(() => load(texts, given))
    .message.split('\n')
    .map((line) => line.replace(/^ {2}/, '').replace(/^\/\S*\/(?=[a-z]\.ini\b)/, ''))
    .filter((line) => !/^the configuration has \d+ problems:$/.test(line));
}
