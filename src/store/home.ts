/**
 * Where a ledger lives on its machine. The id of the machine does not tell a copy from its original there:
 * a copied file is another file (its inode), and a snapshot is seen at another path while the first one
 * is still where it was. One that was only moved, or is on a disk that was mounted elsewhere, is no copy.
 */
import { realpath, stat } from 'node:fs/promises';

export interface Home {
  /** Of the database file, without links. */
  path: string;
  /** Of the same file; in decimal digits, because it may be beyond the safe integers. */
  inode: string;
}

/** Errors are those of the disk. */
export async function readHome(path: string): Promise<Home> {
  const real = await realpath(path);
  const { ino } = await stat(real, { bigint: true });
  return { path: real, inode: String(ino) };
}

/** `isThere`: whether something still is at a path. Without a record nobody has said otherwise. */
export function isAtHome(
  recorded: Home | undefined,
  here: Home,
  isThere: (path: string) => boolean,
): boolean {
  if (recorded === undefined) return true;
  if (recorded.inode !== here.inode) return false;
  return recorded.path === here.path || !isThere(recorded.path);
}
