/** Who this ledger is: a random id made once, and the machine and place it lives in. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import type { Database } from './database.ts';
import { type Home, isAtHome } from './home.ts';
import type { Opened, WorkerInput } from './requests.ts';

const metaRow = z.object({
  daemon_id: z.uuid(),
  machine_id: z.string(),
  home_path: z.string().nullable(),
  home_inode: z.string().nullable(),
});
type MetaRow = z.infer<typeof metaRow>;

/**
 * Reads the ledger's identity, making it in a new one, and judges whether it is ours: made on this machine
 * and not copied since. With `adopt` this machine and place take it over. A copy stays as it is.
 * @throws STORE_CORRUPT when it does not parse.
 */
export function identify(db: Database, input: WorkerInput): Opened {
  db.run(
    'INSERT INTO meta (one, daemon_id, machine_id, created_at) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING',
    randomUUID(),
    input.machineId,
    input.now,
  );
  const row = readRow(db);
  const { home, machineId } = input;
  const cloned =
    !input.adopt && (row.machine_id !== machineId || !isAtHome(homeOf(row), home, existsSync));
  const { home_path: path, home_inode: inode } = row;
  if (!cloned && (row.machine_id !== machineId || path !== home.path || inode !== home.inode)) {
    db.run(
      'UPDATE meta SET machine_id = ?, home_path = ?, home_inode = ?',
      machineId,
      home.path,
      home.inode,
    );
  }
  return { daemonId: row.daemon_id, cloned };
}

function homeOf({ home_path: path, home_inode: inode }: MetaRow): Home | undefined {
  return path === null || inode === null ? undefined : { path, inode };
}

function readRow(db: Database): MetaRow {
  const result = metaRow.safeParse(
    db.get('SELECT daemon_id, machine_id, home_path, home_inode FROM meta'),
  );
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join('.') ?? '(row)';
  throw new AppError('STORE_CORRUPT', `table meta, row 1, field ${field}: does not parse`, {
    context: { table: 'meta', id: '1', field },
  });
}
