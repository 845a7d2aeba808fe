/** Small disks of a test's own, here or on a host of the bed, that can be filled and freed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onHost } from '../bed.ts';

export interface SmallDisk extends AsyncDisposable {
  /** Takes all that is left. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

const run = promisify(execFile);

type Shell = (text: string, ...words: string[]) => Promise<unknown>;

/** Mounts a memory disk over `path` in a host of the bed; it belongs to alice. */
export async function hostDisk(host: string, path: string, megabytes: number): Promise<SmallDisk> {
  const shell: Shell = (text, ...words) => onHost(host, 'sh', '-c', text, 'disk', ...words);
  await shell(
    'install -d -o alice -g alice "${1%/*}" "$1" && mount -t tmpfs -o "size=$2m,uid=1000,gid=1000,mode=700" towline-test "$1"',
    path,
    String(megabytes),
  );
  return disk(shell, path, 'umount -l "$1" && rmdir "$1"');
}

/** Mounts a memory disk over a directory of this machine; undefined when we may not. */
export async function localDisk(path: string, megabytes: number): Promise<SmallDisk | undefined> {
  const shell: Shell = (text, ...words) => run('sh', ['-c', text, 'disk', ...words]);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'towline-test', path]);
  } catch {
    return undefined;
  }
  return disk(shell, path, 'umount -l "$1"');
}

function disk(shell: Shell, path: string, end: string): SmallDisk {
  // in big steps, then to the last page
  const fill =
    'for size in 1M 4k; do dd if=/dev/zero bs=$size >>"$1/.filler"; done 2>/dev/null; true';
  const free = async (): Promise<void> => {
    await shell('rm -f "$1/.filler"', path);
  };
  return {
    fill: async () => {
      await shell(fill, path);
    },
    free,
    [Symbol.asyncDispose]: async () => {
      await shell(end, path);
    },
  };
}
