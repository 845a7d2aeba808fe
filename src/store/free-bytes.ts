/** How much room the disk of a directory has for this user. */
import { statfs } from 'node:fs/promises';

/** Undefined where it cannot be told: a write will say it then. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  const info = await statfs(directory).catch(() => undefined);
  return info === undefined ? undefined : info.bavail * info.bsize;
}
