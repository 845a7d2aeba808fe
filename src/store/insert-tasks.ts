/** Takes a submission in once, however often it is sent. */
import { AppError } from '../domain/failure.ts';
import type { Database } from './database.ts';
import type { Answers, WriteRequest } from './requests.ts';
import { parseTask } from './row-schemas.ts';
import { createPartSharing } from './share-parts.ts';
import { insertChange } from './write-tasks.ts';

type InsertRequest = Extract<WriteRequest, { op: 'insert' }>;

/**
 * Inserts all tasks of a submission, or finds those that its key brought in before.
 * @throws TASK_IDEMPOTENCY_CONFLICT when the key stands for another submission; QUEUE_FULL.
 */
export function insertTasks(db: Database, request: InsertRequest): Answers['insert'] {
  const { changes, idempotency, room = changes.length } = request;
  const known = idempotency && findSubmission(db, idempotency);
  if (known !== undefined) return known;
  if (changes.length > room) {
    const text = `there is room for ${Math.max(0, room)} more unfinished tasks, not for ${changes.length}`;
    throw new AppError('QUEUE_FULL', text);
  }
  if (idempotency !== undefined) {
    db.run(
      'INSERT INTO submissions (key, digest) VALUES (?, ?)',
      idempotency.key,
      idempotency.digest,
    );
  }
  const key = idempotency?.key;
  const events = changes.flatMap((change) => insertChange(db, change, key));
  const tasks = changes.map(({ task }) =>
    key === undefined ? task : { ...task, idempotencyKey: key },
  );
  // they are kept as they go back from here: what is one object in this thread is one in the other, too
  return { created: true, tasks: createPartSharing()(tasks), events };
}

function findSubmission(
  db: Database,
  { key, digest }: { key: string; digest: string },
): Answers['insert'] | undefined {
  const stored = db.get('SELECT digest FROM submissions WHERE key = ?', key)?.['digest'];
  if (stored === undefined) return undefined;
  const tasks = db
    .all('SELECT * FROM tasks WHERE idempotency_key = ? ORDER BY ordinal', key)
    .map(parseTask);
  if (stored === digest) return { created: false, tasks, events: [] };
  const first = tasks[0]?.id;
  throw new AppError(
    'TASK_IDEMPOTENCY_CONFLICT',
    `idempotency key ${JSON.stringify(key)} was used for task ${first} with other content`,
    { context: { key, task: first } },
  );
}
