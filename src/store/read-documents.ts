/** Where tasks stand that came in by another protocol: asked for often and by many, so no task is parsed. */
import type { SQLInputValue } from 'node:sqlite';
import type { StateKind } from '../domain/state.ts';
import type { TaskId } from '../domain/task.ts';
import { parseCursor } from './cursor.ts';
import type { Database, Row } from './database.ts';
import type { DocumentPage, DocumentQuery, DocumentRow } from './store.ts';

/** The state itself is read only of tasks that are being ended: all else is in the index. */
const FAILING = `(state_kind = 'cancelling' AND (
  SELECT state ->> '$.failure' FROM tasks AS whole WHERE whole.ordinal = tasks.ordinal) IS NOT NULL)`;

/** One page, newest first. @throws REQUEST_INVALID for a cursor that is none */
export function listDocuments(db: Database, query: DocumentQuery): DocumentPage {
  const { where, values } = conditions(query);
  const body = query.bodies ? ', body' : '';
  const rows = db.all(
    `SELECT ordinal, id, state_kind, ${FAILING} AS failing${body}
     FROM tasks ${query.id === undefined ? 'INDEXED BY tasks_in_order' : ''} CROSS JOIN documents ON documents.task = tasks.id
     WHERE ${where} ORDER BY ordinal DESC LIMIT ?`,
    ...values,
    query.limit + 1,
  );
  const given = rows.slice(0, query.limit);
  const more = rows.length > given.length;
  return {
    rows: given.map(toRow),
    ...(more && { cursor: String(given.at(-1)?.['ordinal']) }),
  };
}

function toRow(row: Row): DocumentRow {
  const { id, state_kind: kind, failing, body } = row;
  return {
    id: String(id) as TaskId,
    kind: String(kind) as StateKind,
    failing: failing === 1,
    ...(typeof body === 'string' && { body }),
  };
}

function conditions(query: DocumentQuery): { where: string; values: SQLInputValue[] } {
  const parts = ['ordinal < ?'];
  const values: SQLInputValue[] = [parseCursor(query.cursor)];
  const add = (part: string, ...more: SQLInputValue[]): void => {
    parts.push(part);
    values.push(...more);
  };
  if (query.id !== undefined) add('tasks.id = ?', query.id);
  if (query.namePrefix) {
    add('substr(documents.name, 1, length(?)) = ?', query.namePrefix, query.namePrefix);
  }
  for (const { key, value } of query.tags ?? []) {
    const tag = 'EXISTS (SELECT 1 FROM tags WHERE task = tasks.id AND key = ?';
    if (value === undefined) add(`${tag})`, key);
    else add(`${tag} AND value = ?)`, key, value);
  }
  if (query.states !== undefined) {
    const any = query.states.map(({ kind, failing }) => {
      values.push(kind);
      if (failing === undefined) return 'state_kind = ?';
      return `(state_kind = ? AND ${failing ? '' : 'NOT '}${FAILING})`;
    });
    parts.push(any.length === 0 ? '0' : `(${any.join(' OR ')})`);
  }
  return { where: parts.join(' AND '), values };
}
