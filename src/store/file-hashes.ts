/** Hashes of local files, so that what was read once is not read again by a daemon that was restarted. */
import { z } from 'zod';
import type { Database } from './database.ts';
import type { FileHash } from './store.ts';

/** Beyond so many the oldest are forgotten. */
const HASHES_MAX = 200_000;

export function writeHashes(db: Database, hashes: readonly FileHash[]): void {
  let last = 0;
  for (const { identity, sha256 } of hashes) {
    const { lastInsertRowid } = db.run(
      'INSERT OR REPLACE INTO file_hashes (identity, sha256) VALUES (?, ?)',
      identity,
      sha256,
    );
    last = lastInsertRowid;
  }
  db.run('DELETE FROM file_hashes WHERE ordinal <= ?', last - HASHES_MAX);
}

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** Those that are known. What does not parse is not known: the file is hashed again. */
export function readHashes(db: Database, identities: readonly string[]): FileHash[] {
  return identities.flatMap((identity) => {
    const row = db.get('SELECT sha256 FROM file_hashes WHERE identity = ?', identity);
    const sha256 = sha256Schema.safeParse(row?.['sha256']);
    return sha256.success ? [{ identity, sha256: sha256.data }] : [];
  });
}
