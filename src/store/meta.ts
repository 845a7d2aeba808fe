/** Who this ledger is: a random id made once, and the machine it lives on. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import type { Database } from './database.ts';
import type { Opened, WorkerInput } from './requests.ts';

const metaRow = z.object({ daemon_id: z.uuid(), machine_id: z.string() });

/**
 * Reads the ledger's identity, making it in a new one; with `adopt` this machine takes it over.
 * @throws STORE_CORRUPT when it does not parse.
 */
export function identify(db: Database, input: WorkerInput): Opened {
  db.run(
    'INSERT INTO meta (one, daemon_id, machine_id, created_at) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING',
    randomUUID(),
    input.machineId,
    input.now,
  );
  if (input.adopt) db.run('UPDATE meta SET machine_id = ?', input.machineId);
  const result = metaRow.safeParse(db.get('SELECT daemon_id, machine_id FROM meta'));
  if (result.success) {
    return { daemonId: result.data.daemon_id, machineId: result.data.machine_id };
  }
  const field = result.error.issues[0]?.path.join('.') ?? '(row)';
  throw new AppError('STORE_CORRUPT', `table meta, row 1, field ${field}: does not parse`, {
    context: { table: 'meta', id: '1', field },
  });
}
