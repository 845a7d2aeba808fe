/**
 * What one machine has written, another may not see yet: network file systems keep names and sizes in
 * caches for up to a minute. An exit record may so be here before the outputs and streams it stands for.
 */
import type { sleep } from './sleep.ts';

/** File systems of one machine, as `stat -f -c %T` calls them; whatever else there is may be a network's. */
const OF_ONE_MACHINE = new Set(
  'apfs bcachefs btrfs erofs exfat ext2/ext3 ext3 ext4 f2fs jfs msdos nilfs overlayfs ramfs reiserfs tmpfs ufs vfat xfs zfs'.split(
    ' ',
  ),
);

/** The longest time that the caches of NFS keep by default (acregmax, acdirmax). */
const NETWORK_MS = 60_000;
const ONE_MACHINE_MS = 250;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** How long what is not there is looked for before it counts as missing, in milliseconds. */
export function patienceMs(fsType: string | undefined): number {
  return OF_ONE_MACHINE.has(fsType ?? '') ? ONE_MACHINE_MS : NETWORK_MS;
}

export interface Patience {
  patienceMs: number;
  pause: typeof sleep;
  signal: AbortSignal;
}

/**
 * Looks until nothing is late any more or patience is used up, each time a little later, and gives what was
 * seen last. What is there at once costs one look. @throws what a look throws; the signal's reason
 */
export async function lookAgain<Found>(
  { patienceMs: patience, pause, signal }: Patience,
  look: () => Promise<Found>,
  isLate: (found: Found) => boolean,
): Promise<Found> {
  let left = patience;
  let next = FIRST_PAUSE_MS;
  for (;;) {
    const found = await look();
    if (left <= 0 || !isLate(found)) return found;
    const ms = Math.min(next, left);
    await pause(ms, signal);
    signal.throwIfAborted();
    left -= ms;
    next = Math.min(next * 2, LONGEST_PAUSE_MS);
  }
}
