/** A stream of files without anything between them, cut by the sizes that were listed. Pure. */
import type { WholeFiles } from './deliver-many.ts';

export interface Cutter<T> {
  /** Bytes that are no whole file yet, or were not taken. */
  readonly held: number;
  /** Files that were not taken. */
  readonly left: readonly T[];
  /** False: these are more than were listed. */
  add(chunk: Uint8Array): boolean;
  /** The files that have come whole since, their bytes in one piece. */
  take(): WholeFiles<T> | undefined;
}

export function createCutter<T extends { size: number }>(files: readonly T[]): Cutter<T> {
  let left = [...files];
  let wanted = files.reduce((sum, { size }) => sum + size, 0);
  let chunks: Uint8Array[] = [];
  let held = 0;
  return {
    get held() {
      return held;
    },
    get left() {
      return left;
    },
    add(chunk) {
      wanted -= chunk.length;
      chunks.push(chunk);
      held += chunk.length;
      return wanted >= 0;
    },
    take() {
      let count = 0;
      let length = 0;
      for (const { size } of left) {
        if (length + size > held) break;
        length += size;
        count += 1;
      }
      if (count === 0) return undefined;
      const whole = left.slice(0, count);
      left = left.slice(count);
      const all = Buffer.concat(chunks);
      const bytes = new Uint8Array(length);
      bytes.set(all.subarray(0, length));
      held -= length;
      chunks = held === 0 ? [] : [all.subarray(length)];
      return { files: whole, sizes: whole.map(({ size }) => size), bytes };
    },
  };
}
