/** Reads the command lines of all processes of this machine again and again; containers on it are among them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Canary } from './scene.ts';

const PERIOD_MS = 500;

export interface ArgvWatch {
  /** Ends it and gives where secrets were seen. */
  stop(): string[];
}

export function watchArgv(canaries: readonly Canary[]): ArgvWatch {
  const found = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const words = commandLine(pid);
      for (const { name, secret } of canaries) {
        if (words.includes(secret)) found.add(`${name} in the command line of process ${pid}`);
      }
    }
  };
  look();
  const timer = setInterval(look, PERIOD_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return [...found];
    },
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
