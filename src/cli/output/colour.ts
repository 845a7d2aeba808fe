/** Colours for a terminal that wants them. */
import type { Io, Sink } from '../io.ts';

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

/** A painter that leaves text alone unless the sink is a terminal and NO_COLOR is not set. */
export function painter(io: Io, sink: Sink): Paint {
  const wanted = sink.isTTY && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  return wanted ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_, text) => text;
}

/** The colour a state is shown in. */
export function stateColour(state: string): Colour {
  if (state === 'succeeded') return 'green';
  if (['failed', 'error', 'interrupted'].includes(state)) return 'red';
  return ['cancelled', 'cancelling', 'held'].includes(state) ? 'yellow' : 'cyan';
}
