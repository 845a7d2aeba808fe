/** Cuts what a control shell writes into its commands, as src/remote/shell/wrap.ts puts them together. */
import { beginMark, endMark } from '../../../src/remote/shell/wrap.ts';

export interface Command {
  nonce: string;
  text: string;
}

/** Takes what has come so far and gives the commands in it that are whole, and the rest. */
export function readCommands(written: string): { commands: Command[]; rest: string } {
  const commands: Command[] = [];
  let rest = written;
  for (;;) {
    const [, nonce] = /^\{ export .*?printf '%s begin\\n' ([0-9a-f]+); /s.exec(rest) ?? [];
    const end = nonce === undefined ? -1 : rest.indexOf(`%d\\n' ${nonce} "$?"; }\n`);
    if (nonce === undefined || end < 0) return { commands, rest };
    const length = rest.indexOf('\n', end) + 1;
    commands.push({ nonce, text: textIn(rest.slice(0, length)) });
    rest = rest.slice(length);
  }
}

/** What a shell would print around and for it. */
export function replyTo({ nonce }: Command, output: string): string {
  return `${beginMark(nonce)}${output}${endMark(nonce)}0\n`;
}

function textIn(wrapped: string): string {
  const begin = wrapped.indexOf("eval '") + "eval '".length;
  const quoted = wrapped.slice(begin, wrapped.lastIndexOf("' ) </dev/null"));
  return quoted.replaceAll(`'\\''`, "'");
}
