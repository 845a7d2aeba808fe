/** Memory of processes as the kernel counts it, in bytes; and what a process prints, counted and not kept. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What it has now. */
export function memoryNow(pid: number): number {
  return readStatus(pid, 'VmRSS');
}

/** The most it ever had. */
export function highestMemory(pid: number): number {
  return readStatus(pid, 'VmHWM');
}

function readStatus(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}

export interface Printed {
  bytes: number;
  code: number | null;
  /** The most memory it had while it printed. */
  peak: number;
  /** What it printed, if that was to be kept. */
  text: string;
}

const LOOK_EVERY_BYTES = 4 << 20;

/** Reads stdout to its end. */
export function printed(child: ChildProcess, { keep = false } = {}): Promise<Printed> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let looked = -LOOK_EVERY_BYTES;
  let peak = 0;
  child.stderr?.resume();
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (keep) chunks.push(chunk);
    if (bytes - looked < LOOK_EVERY_BYTES) return;
    looked = bytes;
    try {
      peak = Math.max(peak, highestMemory(child.pid ?? 0));
    } catch {
      // It has ended; what it had before is known.
    }
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ bytes, code, peak, text: Buffer.concat(chunks).toString() });
    });
  });
}
