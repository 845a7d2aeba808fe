/**
 * A disk of a test's own that forgets at a loss of power what was never synced (root). A file is the disk: what the
 * file system on it has not written through yet is only in the memory of the machine. A copy of that file is
 * the disk as it comes up again.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { until } from '../until.ts';

export interface LossyDisk extends Disposable {
  /** The moment of the loss. Nothing may be written meanwhile: see stopWhole. */
  losePower(): void;
  /** What was on the disk at that moment is mounted, in the place of what was there. */
  comeBack(): void;
}

const MEGABYTES = 64;

/** Mounts it on `dir`, which is made; `image` is where the file is put. Unmounted and removed when disposed. */
export function mountLossyDisk(dir: string, image: string): LossyDisk {
  const survived = `${image}.survived`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(image, '');
  truncateSync(image, MEGABYTES * 1024 * 1024);
  const now = 'lazy_itable_init=0,lazy_journal_init=0,nodiscard';
  execFileSync('/sbin/mkfs.ext4', ['-q', '-F', '-E', now, image]);
  mount(image);
  chmodSync(dir, 0o700);
  execFileSync('sync', ['-f', dir]);

  /** The journal is not written by itself within a test. */
  function mount(file: string): void {
    execFileSync('mount', ['-o', 'loop,commit=600', file, dir]);
  }

  return {
    losePower: () => copyFileSync(image, survived),
    comeBack() {
      execFileSync('umount', [dir]);
      mount(survived);
    },
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', dir]);
      for (const file of [image, survived]) rmSync(file, { force: true });
    },
  };
}

/** Stops a process with all its threads: none is in the middle of a write when this resolves. */
export async function stopWhole(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const isStopped = (task: string): boolean =>
    /\) T /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'));
  await until(() => readdirSync(`/proc/${pid}/task`).every(isStopped));
}
