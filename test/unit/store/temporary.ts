/** A directory for one test, and a child process that ends with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'towline-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export interface Child {
  process: ChildProcess;
  /** Complete lines it has printed. */
  lines: string[];
  /** Resolves when so many lines are there; rejects when it ends before. */
  hasPrinted(lines: number): Promise<void>;
  ended: Promise<NodeJS.Signals | number | null>;
}

/** Runs a TypeScript file as a process of its own. */
export function runChild(file: URL, args: string[], env: Record<string, string> = {}): Child {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  let rest = '';
  let look = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    look();
  });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    process: child,
    lines,
    ended,
    hasPrinted: (count) =>
      new Promise((resolve, reject) => {
        look = () => lines.length >= count && resolve();
        look();
        void ended.then((how) => reject(new Error(`ended with ${how}: ${lines.join(' | ')}`)));
      }),
  };
}
