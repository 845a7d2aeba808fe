/** A small file system of a test's own in memory, to be filled to its last byte and freed again (root). */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk extends Disposable {
  /** Takes what is left, whoever else frees something meanwhile. */
  fill(): void;
  /** Gives back what fill took. */
  free(): void;
}

/** Mounts it on `dir`, which is made; unmounted when disposed. */
export function mountSmallDisk(dir: string, megabytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'towline-test', dir]);
  chmodSync(dir, 0o700);
  const ballast = join(dir, 'ballast');
  return {
    fill() {
      for (const bytes of [1 << 16, 1 << 12, 1]) {
        try {
          for (;;) appendFileSync(ballast, Buffer.alloc(bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', dir]),
  };
}
