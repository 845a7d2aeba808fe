/** JSON for programs: one value, indented; streams of values one a line. */
import type { Io } from '../io.ts';

export function printJson(io: Io, value: unknown): Promise<void> {
  return io.out.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printJsonLine(io: Io, value: unknown): Promise<void> {
  return io.out.write(`${JSON.stringify(value)}\n`);
}
