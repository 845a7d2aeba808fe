/** A terminal for programs under test: what it shows, keys to press, a window to resize. */

import type { Host } from '../../src/remote/host.ts';
import { createLocalHost } from '../../src/remote/local/local-host.ts';
import { until } from './until.ts';

export interface TestTerminal {
  shown(): string;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Waits until something is shown after what was shown at the last call. */
  sees(text: string): Promise<void>;
  ended: Promise<number>;
}

/** Runs shell text on a terminal of 91 by 33; uses script(1) of util-linux. */
export async function openTerminal(script: string): Promise<TestTerminal> {
  const host = createLocalHost({ name: 'terminal' });
  const tty = { term: 'xterm', columns: 91, rows: 33 };
  const process = await host.openProcess(script, { purpose: 'test', tty });
  let shown = '';
  let from = 0;
  process.stderr.resume();
  process.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  return {
    shown: () => shown,
    type: (keys) => void process.stdin.write(keys),
    resize: (columns, rows) => process.resize({ columns, rows }),
    async sees(text) {
      await until(
        () => shown.includes(text, from),
        () => `${JSON.stringify(text)} in ${JSON.stringify(shown.slice(from))}`,
      );
      from = shown.indexOf(text, from) + text.length;
    },
    ended: closing(process.ended, host),
  };
}

async function closing(ended: Promise<number>, host: Host): Promise<number> {
  try {
    return await ended;
  } finally {
    await host.close();
  }
}
