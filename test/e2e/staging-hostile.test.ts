/**
 * Goal: whatever characters they hold, variables, words of a command, names of inputs and paths on the
 * host reach the command byte for byte.
 * Method: many generated values travel in one task through a daemon whose own root on the host is
 * called as badly as a directory can be; the command prints what it got in hexadecimal.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  const name = `it's "q", a:b *?[x] -ünï 漢 \\n %s`;
  daemon = makeDaemon({ vm: { root: `/home/alice/t/h${process.pid} ${name}` } });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

const PIECES = [
  ' ',
  '\n',
  "'",
  '"',
  ',',
  '$(id)',
  '`id`',
  '*',
  '-',
  ':',
  '=',
  '\\',
  '$HOME',
  'ü漢🚢',
  '%s',
  '\t',
  '\r',
  '\r\n',
  '~',
  '#',
  '!',
  ';',
  '&',
  '|',
  '<',
  '>',
  '\\n',
  '${x}',
  '\u001b[1m',
  '\u0085',
  '\u2028',
  'a',
];

/** Any text without NUL, mostly made of what shells and runtimes trip over. */
const hostile = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom(...PIECES), { maxLength: 8 })
      .map((parts) => parts.join('')),
  },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((text) => !text.includes('\0')),
  },
);

const name = hostile
  .map((text) => text.replaceAll('/', '_').slice(0, 60))
  .filter((text) => text !== '' && text !== '.' && text !== '..' && text.isWellFormed());

const values = fc.record({
  words: fc.array(hostile, { minLength: 30, maxLength: 60 }),
  env: fc.array(hostile, { minLength: 30, maxLength: 60 }),
  names: fc.uniqueArray(name, {
    minLength: 20,
    maxLength: 40,
    selector: (text) => text.normalize(),
  }),
});

const PRINT = `
hex() { od -An -v -tx1 | tr -d ' \\n'; echo; }
printf '%s\\0' "$@" | hex
for ((i = 0; i < COUNT; i++)); do v=E$i; printf '%s\\0' "\${!v}"; done | hex
cd /mnt/task/inputs/in && find . -type f -printf '%P\\0' | sort -z | hex
find . -type f -print0 | sort -z | xargs -0 cat | hex
`;

function hex(texts: string[]): string {
  return Buffer.from(texts.map((text) => `${text}\0`).join('')).toString('hex');
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function carry({ words, env, names }: { words: string[]; env: string[]; names: string[] }) {
  const inputs = join(daemon.dir, `in${Date.now()}`);
  mkdirSync(inputs);
  for (const file of names) writeFileSync(join(inputs, file), `${file}\0`);
  const task = {
    image: MINI,
    command: ['bash', '-c', PRINT, 'bash', ...words],
    env: {
      COUNT: String(env.length),
      ...Object.fromEntries(env.map((value, i) => [`E${i}`, value])),
    },
    inputs: [{ path: inputs, target: 'in' }],
  };
  const file = join(daemon.dir, 'hostile.json');
  writeFileSync(file, JSON.stringify(task));
  const id = await daemon.submit('--file', file);
  await daemon.cli('wait', id);
  const shown = await daemon.show(id);
  expect(shown, JSON.stringify(shown.failure)).toMatchObject({ state: 'succeeded' });
  const { stdout } = await daemon.cli('logs', id, '--stdout');
  const sorted = hex(names.toSorted(byBytes));
  expect(stdout.split('\n')).toEqual([hex(words), hex(env), sorted, sorted, '']);
}

test('generated words, variables and names of inputs arrive byte-exact in one container', async () => {
  await fc.assert(fc.asyncProperty(values, carry), { numRuns: 3, endOnFailure: true });
});

test('a CR before an LF stays in a variable, whatever reads the value on its way', async () => {
  const values = { A: '\r\n', B: "it's\r\n$(id)\r\r\n\\", C: 'r\rn\n', r: 'mine' };
  const set = Object.entries(values).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const print = `printf '%s.' "$A" "$B" "$C" "$r" "\${TOWLINE_CRLF-unset}"`;
  const asWords = await daemon.cli('run', ...set, MINI, '--', 'sh', '-c', print);
  expect(asWords.stdout).toBe(`${Object.values(values).join('.')}.unset.`);
  const asText = await daemon.cli('run', '--shell', ...set, MINI, '--', print);
  expect(asText.stdout).toBe(asWords.stdout);
});

test('a command given as text is run as it stands', async () => {
  const text = `printf '%s\\n' "it's" '$(id)' "\\$HOME" \`echo back\`
cat <<'E'
  a "here" document, $x
E
`;
  const ran = await daemon.cli('run', '--shell', MINI, '--', text);
  expect(ran.stdout, ran.stderr).toBe(`it's\n$(id)\n$HOME\nback\n  a "here" document, $x\n`);
});

test('targets and output names with any printable character reach their places', async () => {
  const target = `t,"o" $(id) 'x' a:b -é 漢`;
  writeFileSync(join(daemon.dir, 'in.txt'), 'text');
  const place = join(daemon.dir, `out ${target}`);
  const task = {
    image: MINI,
    command: [
      'bash',
      '-c',
      'cat "$1" "$2" >"$3"',
      'bash',
      `/mnt/task/inputs/${target}`,
      `/data/${target}`,
      target,
    ],
    inputs: [
      { path: join(daemon.dir, 'in.txt'), target },
      { path: join(daemon.dir, 'in.txt'), target: `/data/${target}` },
    ],
    outputs: [{ path: target, local: place }],
  };
  writeFileSync(join(daemon.dir, 'targets.json'), JSON.stringify(task));
  const id = await daemon.submit('--file', join(daemon.dir, 'targets.json'));
  await daemon.cli('wait', id);
  expect(await daemon.show(id)).toMatchObject({
    state: 'succeeded',
    outputs: [{ local: place, bytes: 8 }],
  });
});
