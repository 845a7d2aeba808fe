/** What a planned task prints and does: bytes known from the seed alone, and the words that run in the container. */
import { createHash } from 'node:crypto';
import type { PlannedStream, PlannedTask } from './plan.ts';

export const OUTPUT = 'result.bin';

/** Gives the bytes of one stream; the same for the same name. */
export function bytesOf(name: string, { bytes, newline }: PlannedStream): Buffer {
  if (bytes === 0) return Buffer.alloc(0);
  const made = createHash('shake256', { outputLength: bytes }).update(name).digest();
  made[bytes - 1] = newline ? 0x0a : 0x78;
  return made;
}

/** The exit code that attempt `number` (from 1) has when nothing disturbs it. */
export function codeOf(task: PlannedTask, number: number): number {
  return task.codes[Math.min(number, task.codes.length) - 1] ?? 0;
}

/** Notes its start, prints both streams in pieces from two inputs, copies one to an output, ends with its code. */
export function payloadOf(task: PlannedTask, ledger: string): string {
  const { pieces, pauseMs, stdout, stderr, codes } = task;
  const lines = [
    `echo "$TOWLINE_ATTEMPT $$" >>/ledger/${ledger}`,
    // what the tools say of a full disk or a dead reader is no part of the stream
    `piece() { { tail -c +$(($2 + 1)) "/mnt/task/inputs/$1" | head -c "$3"; } 2>/dev/null; }`,
  ];
  for (let index = 0; index < pieces; index += 1) {
    lines.push(piece('out', stdout.bytes, { index, pieces }));
    lines.push(`{ ${piece('err', stderr.bytes, { index, pieces })}; } >&2`);
    lines.push(`sleep ${(pauseMs / 1_000).toFixed(3)}`);
  }
  if (task.output) {
    const copy = `cp /mnt/task/inputs/out part && mv part ${OUTPUT}`;
    lines.push(`{ ${copy}; } 2>/dev/null || exit 97`);
  }
  lines.push('case ${TOWLINE_ATTEMPT##*.} in');
  for (const [index, code] of codes.slice(0, -1).entries())
    lines.push(`${index + 1}) exit ${code} ;;`);
  lines.push(`*) exit ${codes.at(-1) ?? 0} ;;`, 'esac');
  return lines.join('\n');
}

function piece(input: string, total: number, part: { index: number; pieces: number }): string {
  const at = (index: number): number => Math.floor((total * index) / part.pieces);
  return `piece ${input} ${at(part.index)} ${at(part.index + 1) - at(part.index)}`;
}
