/**
 * A remote root on a file system that can go away under everything and come back as it was, as a file
 * server's does: a directory of the spare host bound to the place where the root is.
 */
import type { SpareHost } from './spare-host.ts';

const PLACE = '/home/alice/share';
const REAL = '/srv/share';

export interface Share {
  /** The remote root to configure; it is below the mount point. */
  readonly root: string;
  /** What the mount point shows while nothing is mounted there: paths below it. */
  below(): Promise<string[]>;
  /** The mount is gone, the mount point stays: an empty directory that alice may write to. */
  unmount(): Promise<void>;
  /** Does nothing when it is mounted. */
  mount(): Promise<void>;
  /** Nobody may enter any more: EACCES. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Makes one on a spare host and mounts it. */
export async function makeShare(spare: SpareHost): Promise<Share> {
  await spare.sh('install -d -o alice -g alice "$1" "$2"', PLACE, REAL);
  const share: Share = {
    root: `${PLACE}/towline`,
    async below() {
      const found = await spare.sh('find "$1" -xdev -mindepth 1', PLACE);
      return found.split('\n').filter(Boolean);
    },
    unmount: async () => void (await spare.sh('umount -l "$1"', PLACE)),
    mount: async () =>
      void (await spare.sh('mountpoint -q "$2" || mount --bind "$1" "$2"', REAL, PLACE)),
    close: async () => void (await spare.sh('chmod 0 "$1"', PLACE)),
    open: async () => void (await spare.sh('chmod 700 "$1"', PLACE)),
  };
  await share.mount();
  return share;
}
