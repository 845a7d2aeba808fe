/** The overlay of a task, as written and as meant. */
import { AppError } from '../domain/failure.ts';
import type { Overlay } from '../domain/task.ts';
import { parseSize } from '../domain/units.ts';
import { fieldName } from './explain.ts';
import type { WireTaskSpec } from './spec-schema.ts';
import { isHostPath, splitColons } from './text-rules.ts';

const MIB = 1024 * 1024;
/** What a task gets that only says that it wants one. */
export const OVERLAY_BYTES = 1024 * MIB;
/** Apptainer makes none that is smaller. */
export const OVERLAY_BYTES_MIN = 64 * MIB;

type WireOverlay = Pick<WireTaskSpec, 'overlay' | 'overlaySize'>;

/** Gives the overlay that is meant; undefined where the task says nothing. @throws TASK_INVALID naming the field */
export function parseOverlay(wire: WireOverlay, where: string): Overlay | undefined {
  const { overlay, overlaySize } = wire;
  if (overlaySize !== undefined) {
    const field = fieldName(['overlaySize'], where);
    if (overlay !== undefined && overlay !== true) {
      refuse(field, 'is the size of one that is made: it does not go with overlay');
    }
    return { kind: 'made', bytes: sizeOf(overlaySize, field) };
  }
  if (overlay === undefined) return undefined;
  if (overlay === false) return { kind: 'none' };
  if (overlay === true) return { kind: 'made', bytes: OVERLAY_BYTES };
  return ownOverlay(overlay, fieldName(['overlay'], where));
}

function ownOverlay(text: string, field: string): Overlay {
  const [path = '', mode = 'rw'] = splitColons(text, 2);
  if (mode !== 'ro' && mode !== 'rw') refuse(field, 'must be PATH, PATH:ro or PATH:rw');
  if (!isHostPath(path)) {
    refuse(field, 'must be an absolute path on the host (~, $HOME, $USER, $SCRATCH are known)');
  }
  return { kind: 'own', path, readonly: mode === 'ro' };
}

function sizeOf(value: string | number, field: string): number {
  const parsed = typeof value === 'number' ? { value } : parseSize(value);
  if ('problem' in parsed) refuse(field, `: ${parsed.problem}`);
  if (!Number.isSafeInteger(parsed.value) || parsed.value < OVERLAY_BYTES_MIN) {
    refuse(field, 'must be at least 64 MiB; write a unit, like "2GiB"');
  }
  return parsed.value;
}

function refuse(field: string, reason: string): never {
  const gap = reason.startsWith(':') ? '' : ' ';
  throw new AppError('TASK_INVALID', `${field}${gap}${reason}`, { context: { field } });
}
