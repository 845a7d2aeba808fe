/** What is left of an attempt on a spare host, seen by root. */
import type { SpareHost } from './spare-host.ts';

/** Processes that carry a token in their environment, and mounts of FUSE, one a line. */
export async function remainsOn(spare: SpareHost, token: string): Promise<string> {
  const look =
    'grep -lzas -e "TOWLINE_[A-Z]*=$1$" /proc/[0-9]*/environ; grep " fuse" /proc/mounts; true';
  return spare.sh(look, token);
}
