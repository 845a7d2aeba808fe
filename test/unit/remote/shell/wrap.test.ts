/** The wrapped text, run by the real /bin/sh: whole it does what the script says, cut it does nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameReader } from '../../../../src/remote/shell/frames.ts';
import { wrapCommand } from '../../../../src/remote/shell/wrap.ts';

const NONCE = 'f00d'.repeat(8);
const sh = (text: string, cwd = '/'): Buffer =>
  spawnSync('/bin/sh', [], { input: text, cwd }).stdout;

it('runs nothing of a text that is cut anywhere', () => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-cut-'));
  const text = wrapCommand("touch ran 'a b'\ncat > there <<EOF\nx\nEOF\n# }; end", NONCE);
  const cuts = mkdtempSync(join(tmpdir(), 'towline-cuts-'));
  // The last two characters end the group; without the newline it is whole.
  for (let length = 0; length < text.length - 2; length += 1)
    writeFileSync(join(cuts, String(length)), text.slice(0, length));
  // one small process starts them all: from this one each takes its time
  sh(`for cut in '${cuts}'/*; do sh <"$cut"; done`, dir);
  expect(readdirSync(dir)).toEqual([]);
  rmSync(cuts, { recursive: true });
  sh(text, dir);
  expect(readdirSync(dir).toSorted()).toEqual(['a b', 'ran', 'there']);
  rmSync(dir, { recursive: true });
});

it("runs everything under umask 077 and tells the account's own, which the shell keeps", () => {
  const text = wrapCommand('echo "$TOWLINE_UMASK $(umask)"; umask 0', NONCE);
  const env = { PATH: process.env['PATH'] };
  const said = spawnSync('/bin/sh', [], { input: `umask 002\n${text}${text}`, env }).stdout;
  expect(said.toString().match(/^0.*$/gm)).toEqual(['0002 0077', '0002 0077']);
  const told = spawnSync('/bin/sh', [], { input: text, env: { ...env, TOWLINE_UMASK: '0027' } });
  expect(told.stdout.toString()).toContain('\n0027 0077\n');
});

it('carries any text through quoting and framing byte for byte', () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 60 })
    .filter((value) => !value.includes('\0'));
  const hard = fc.array(
    fc.constantFrom("'", '"', '`', '$(', ')', '}', '\n', '\\', '#', 'EOF', NONCE, ' '),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        hard.map((parts) => parts.join('')),
      ),
      (value) => {
        const quoted = `'${value.replaceAll("'", `'\\''`)}'`;
        const reader = new FrameReader(1_000_000);
        reader.expect(NONCE);
        const [frame] = reader.feed(sh(wrapCommand(`printf %s ${quoted}; exit 9`, NONCE)));
        expect(frame?.code).toBe(9);
        expect(frame?.output?.toString('utf8')).toBe(value);
      },
    ),
    { numRuns: 150 },
  );
});
