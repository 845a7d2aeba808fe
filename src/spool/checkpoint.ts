/** What is known to be on disk of an attempt's streams, and whether more will come. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import type { StreamName } from '../domain/task.ts';
import { diskError } from './disk-error.ts';
import { writeDurably } from './write-durably.ts';

export type StreamCounts = Record<StreamName, number>;

/** open: more may come; ended: no more will come; sealed: the streams are whole. */
export type End = 'open' | 'ended' | 'sealed';

const count = z.int().min(0);
const schema = z.strictObject({
  format: z.literal(1),
  bootId: z.string(),
  stdout: count,
  stderr: count,
  end: z.enum(['open', 'ended', 'sealed']),
});

export interface Checkpoint extends StreamCounts {
  bootId: string;
  end: End;
}

/**
 * The checkpoint of a directory; undefined when none got to the disk.
 * @throws STORE_CORRUPT when it is there and does not parse.
 */
export async function readCheckpoint(dir: string): Promise<Checkpoint | undefined> {
  const path = checkpointPath(dir);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw diskError(error, path);
  });
  // The first one is not synced: after a loss of power it may be empty, or zeros.
  if (/^\0*$/.test(text)) return undefined;
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join('.') || '(file)';
  throw new AppError('STORE_CORRUPT', `${path}, field ${field}: does not parse`, {
    context: { path, field },
  });
}

/** Replaces the checkpoint, on disk when it resolves. Errors are those of the disk. */
export async function writeCheckpoint(dir: string, checkpoint: Checkpoint): Promise<void> {
  await writeDurably(checkpointPath(dir), encodeCheckpoint(checkpoint));
}

/** The bytes of a checkpoint file. */
export function encodeCheckpoint({ bootId, stdout, stderr, end }: Checkpoint): Buffer {
  return Buffer.from(`${JSON.stringify({ format: 1, bootId, stdout, stderr, end })}\n`);
}

/** Where a directory keeps its checkpoint. */
export function checkpointPath(dir: string): string {
  return join(dir, 'checkpoint.json');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
