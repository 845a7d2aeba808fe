/** The schema of a task's past attempts. */
import { z } from 'zod';
import type { PastAttempt } from '../domain/task.ts';
import {
  cleanupSchema,
  exitRecordSchema,
  failureRecordSchema,
  readyImageSchema,
} from './record-schemas.ts';
import { objectOf, oneOf } from './schema-of.ts';

export const historySchema = z.array(
  objectOf<PastAttempt>({
    attempt: z.int().min(1),
    host: z.string().optional(),
    root: z.string().optional(),
    image: readyImageSchema.optional(),
    result: oneOf<PastAttempt['result']>({
      succeeded: true,
      failed: true,
      error: true,
      cancelled: true,
      interrupted: true,
    }),
    failure: failureRecordSchema.optional(),
    exit: exitRecordSchema.optional(),
    finishedAt: z.number(),
    cleanup: cleanupSchema,
  }),
);
