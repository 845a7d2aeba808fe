/** Reads files that only we may read: private keys, passphrases, credentials that systemd hands over. */
import { open, readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/** What was read, or why it cannot be used: a reason that names the file and what to do. */
export type PrivateRead = { bytes: Buffer } | { trouble: string };

const CREDENTIALS_PREFIX = '$CREDENTIALS_DIRECTORY/';

/**
 * Reads a file as strictly as OpenSSH does, so that a leaked one is not used in silence. A path below
 * `$CREDENTIALS_DIRECTORY` is taken from the environment of the daemon. Never throws.
 */
export async function readPrivateFile(
  path: string,
  credentials = process.env['CREDENTIALS_DIRECTORY'],
): Promise<PrivateRead> {
  const file = path.startsWith(CREDENTIALS_PREFIX)
    ? credentials && resolve(credentials, path.slice(CREDENTIALS_PREFIX.length))
    : path;
  if (file === undefined || file === '') {
    return { trouble: `${path}: systemd gave this daemon no credentials` };
  }
  try {
    // Mode and bytes come from one handle: the file cannot be exchanged between the two looks.
    await using handle = await open(file, 'r');
    const stat = await handle.stat();
    if (!isPrivate(stat, isBelow(file, credentials))) {
      const shown = (stat.mode & 0o777).toString(8).padStart(4, '0');
      return { trouble: `${file} has mode ${shown}, so others may read it; chmod 600 ${file}` };
    }
    return { bytes: await readFile(handle) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { trouble: code === 'ENOENT' ? `${file} is not there` : `${file}: ${message}` };
  }
}

/**
 * systemd makes credentials root's, mode 0400, and lets the service read them by an access list, which
 * the group bits then show as 0440 though no group may read.
 */
export function isPrivate(stat: { mode: number; uid: number }, isCredential: boolean): boolean {
  if (isCredential && stat.uid === 0) return (stat.mode & 0o337) === 0;
  return (stat.mode & 0o077) === 0;
}

function isBelow(file: string, directory: string | undefined): boolean {
  return directory !== undefined && directory !== '' && file.startsWith(resolve(directory) + sep);
}
