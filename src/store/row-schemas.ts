/** Rows as they must be when they come back; one that does not parse is named with its field. */
import { z } from 'zod';
import { EFFECT_KINDS } from '../domain/effects.ts';
import { AppError, isAppError } from '../domain/failure.ts';
import { HOST_MODES, type HostEvent } from '../domain/host-mode.ts';
import type { Task, TaskId } from '../domain/task.ts';
import type { Row } from './database.ts';
import { historySchema } from './history-schema.ts';
import { taskSpecSchema } from './spec-schema.ts';
import { taskStateSchema } from './state-schema.ts';
import type { EventRecord, PendingEffect } from './store.ts';

const taskId = z
  .string()
  .min(1)
  .transform((text) => text as TaskId);

/** A column that holds JSON text, parsed and then judged by `schema`. */
function json<T>(schema: z.ZodType<T>) {
  return z
    .string()
    .transform((text, ctx) => {
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        ctx.addIssue({ code: 'custom', message: `not JSON: ${(error as Error).message}` });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

const taskRow = z
  .object({
    id: taskId,
    version: z.int().min(0),
    state_kind: z.string(),
    attempt: z.int().min(1),
    submitted_at: z.int(),
    idempotency_key: z.string().nullable(),
    spec: json(taskSpecSchema),
    state: json(taskStateSchema),
    history: json(historySchema),
  })
  .refine((row) => row.state.kind === row.state_kind, {
    path: ['state', 'kind'],
    error: 'is not state_kind',
  })
  .refine((row) => row.state.attempt === row.attempt, {
    path: ['state', 'attempt'],
    error: 'is not attempt',
  });

const eventRow = z.object({
  seq: z.int().min(1),
  at: z.int(),
  task: taskId,
  attempt: z.int(),
  kind: z.string(),
  state: z.string(),
  data: json(z.record(z.string(), z.unknown())),
});

const hostEventRow = z.object({
  seq: z.int().min(1),
  at: z.int(),
  host: z.string(),
  mode: z.enum(HOST_MODES),
});

const effectRow = z.object({ task: taskId, attempt: z.int().min(1), kind: z.enum(EFFECT_KINDS) });

/**
 * A row of `tasks` as a task.
 * @throws STORE_CORRUPT naming the task and the field.
 */
export function parseTask(row: Row): Task {
  const task = parse(taskRow, row, { table: 'tasks', id: row['id'] });
  return {
    id: task.id,
    spec: task.spec,
    state: task.state,
    history: task.history,
    version: task.version,
    submittedAt: task.submitted_at,
    ...(task.idempotency_key === null ? {} : { idempotencyKey: task.idempotency_key }),
  };
}

/**
 * A row of `events` as an event. Data that do not parse are replaced by a note: whoever follows the
 * events must get past them.
 * @throws STORE_CORRUPT naming the event and the field.
 */
export function parseEvent(row: Row): EventRecord {
  const at = { table: 'events', id: row['seq'] };
  try {
    return parse(eventRow, row, at);
  } catch (error) {
    if (!isAppError(error) || error.context['field'] !== 'data') throw error;
    return parse(eventRow, { ...row, data: JSON.stringify({ unreadable: error.message }) }, at);
  }
}

/**
 * A row of `host_events` as an event.
 * @throws STORE_CORRUPT naming the event and the field.
 */
export function parseHostEvent(row: Row): HostEvent {
  return parse(hostEventRow, row, { table: 'host_events', id: row['seq'] });
}

/**
 * A row of `effects` as an order.
 * @throws STORE_CORRUPT naming the task and the field.
 */
export function parseEffect(row: Row): PendingEffect {
  return parse(effectRow, row, { table: 'effects', id: row['task'] });
}

function parse<T>(schema: z.ZodType<T>, row: Row, at: { table: string; id: unknown }): T {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || '(row)';
  const id = String(at.id);
  throw new AppError(
    'STORE_CORRUPT',
    `table ${at.table}, row ${id}, field ${field}: ${issue?.message ?? 'does not parse'}`,
    { context: { table: at.table, id, field } },
  );
}
