/**
 * Goal: what a task says arrives in a real container byte for byte, and what the container does comes
 * back exactly. Method: real Apptainer on the bed; one container run carries hundreds of values.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quote } from '../../src/script/quote.ts';
import { openScriptBed, type ScriptBed } from '../support/script-bed.ts';
import { HOSTILE_WORDS } from '../unit/script/samples.ts';

let bed: ScriptBed;
let mini = '';

beforeAll(async () => {
  bed = await openScriptBed(`con,tain:er's`);
  mini = await bed.image('mini');
});
afterAll(() => bed[Symbol.asyncDispose]());

/** Text any argument can carry: everything but NUL and lone surrogates. */
const anyText = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !text.includes('\0') && text.isWellFormed());
const nastyText = fc
  .array(
    fc.oneof(fc.constantFrom(...HOSTILE_WORDS, "'", '"', '$', '`', '\\', '\n', ','), anyText),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(''));

const sample = (count: number, seed: number) => fc.sample(nastyText, { numRuns: count, seed });

test('arguments and environment arrive byte-exact', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const args = [...HOSTILE_WORDS, ...sample(200, seed)];
  const values = [...HOSTILE_WORDS, ...sample(200, seed + 1)];
  const env = Object.fromEntries(values.map((value, index) => [`V_${index}`, value]));
  const script = `printf '%s\\0' "$@"; env -0 >&2`;
  const run = await bed.complete({
    imagePath: mini,
    env,
    command: { kind: 'argv', argv: ['sh', '-c', script, 'sh', ...args] },
  });
  expect(run.facts.exit, `seed ${seed}`).toMatchObject({ code: 0 });
  expect(run.stdout.toString().split('\0').slice(0, -1), `seed ${seed}`).toEqual(args);
  const seen = Object.fromEntries(
    run.stderr
      .toString()
      .split('\0')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(
    Object.fromEntries(Object.keys(env).map((name) => [name, seen[name]])),
    `seed ${seed}`,
  ).toEqual(env);
  expect(seen).toMatchObject({
    HOME: '/mnt/task/home',
    TOWLINE_ATTEMPT: expect.stringMatching(/\.1$/),
  });
  expect(Object.keys(seen)).not.toContain('SSH_CONNECTION');
});

test('binds and inputs with hostile paths are mounted where they belong', async () => {
  const names = [
    'a,b',
    `"q"`,
    `it's`,
    '$HOME $(id) `id`',
    'c:d',
    'two\nlines',
    '-rf',
    '*',
    'ü 漢 🚢',
    ' lead',
    '\\back',
    'x"y,z',
  ];
  const base = `${bed.facts.root}/bi,nds "x" $y:z`;
  const make = names.map((name, index) => {
    const dir = quote(`${base}/${name}`);
    return `mkdir -p ${dir}; echo ${index} >${dir}/id`;
  });
  expect(await bed.run(make.join('\n'))).toBe('');
  const binds = names.map((name) => ({
    source: `${base}/${name}`,
    target: `/mnt/b ${name}`,
    readonly: true,
  }));
  const files = names.map((name) => ({
    kind: 'remote' as const,
    path: `${base}/${name}/id`,
    target: `in ${name}`,
  }));
  const script = `for d; do cat "/mnt/b $d/id" "/mnt/task/inputs/in $d"; (: >"/mnt/b $d/new") 2>/dev/null && echo writable; done; true`;
  const run = await bed.complete({
    imagePath: mini,
    binds,
    inputs: { files },
    command: { kind: 'argv', argv: ['sh', '-c', script, 'sh', ...names] },
  });
  expect(run.stderr.toString()).toBe('');
  expect(run.facts.exit).toMatchObject({ code: 0 });
  expect(run.stdout.toString()).toBe(names.map((_, index) => `${index}\n${index}\n`).join(''));
});

test('the container has its work, home and temporary directories, and nothing of the host', async () => {
  const script = `pwd; echo "$HOME"; cd; pwd; for d in /tmp /var/tmp ~ /mnt/task/work; do echo x >"$d/mine" && ls "$d"; done; ls /home; id -un`;
  const run = await bed.complete({ imagePath: mini, command: { kind: 'text', text: script } });
  expect(run.stderr.toString()).toBe('');
  expect(run.stdout.toString()).toBe(
    '/mnt/task/work\n/mnt/task/home\n/mnt/task/home\nmine\nmine\nmine\nmine\nalice\n',
  );
  expect(await bed.run(`cd ${quote(run.dir)} && ls tmp vartmp home work`)).toBe(
    'home:\nmine\n\ntmp:\nmine\n\nvartmp:\nmine\n\nwork:\nmine\n',
  );
});

test('a directory for temporary files of its own choice is used and noted for the cleaning', async () => {
  await bed.run(`mkdir ${quote(`${bed.facts.root}/scratch: dir`)}`);
  const run = await bed.complete({
    imagePath: mini,
    tmpDir: `${bed.facts.root}/scratch: dir/`,
    command: { kind: 'text', text: 'echo x >/tmp/a; echo y >/var/tmp/b' },
  });
  const scratch = (await bed.run(`cat ${quote(`${run.dir}/scratch`)}`)).trim();
  expect(await bed.run(`cd ${quote(scratch)} && cat tmp/a vartmp/b`)).toBe('x\ny\n');
});

test.each([
  ['bash where the image has it', 'mini', 'echo "${BASH_VERSION:+bash}"; exit 42', 'bash\n'],
  ['else sh', 'busy', 'echo "${BASH_VERSION:-sh}"; exit 42', 'sh\n'],
])('a text is run by %s', async (_, image, text, stdout) => {
  const run = await bed.complete({
    imagePath: await bed.image(image),
    command: { kind: 'text', text },
  });
  expect(run.stdout.toString()).toBe(stdout);
  expect(run.facts.exit).toMatchObject({ code: 42, runtimeCode: 42 });
});

describe('codes', () => {
  test.each([0, 1, 42, 125, 137, 255])('a command that exits with %i', async (code) => {
    const run = await bed.complete({
      imagePath: mini,
      command: { kind: 'argv', argv: ['sh', '-c', `exit ${code}`] },
    });
    expect(run.facts.exit).toMatchObject({ code });
    expect(run.facts.exit?.runtimeLogTail).toBeUndefined();
  });

  test('a command killed by KILL is 137', async () => {
    const run = await bed.complete({
      imagePath: mini,
      command: { kind: 'argv', argv: ['sh', '-c', 'kill -9 $$'] },
    });
    expect(run.facts.exit).toMatchObject({ code: 137 });
  });

  test('a command that is not there is 127, told on its own stderr', async () => {
    const run = await bed.complete({
      imagePath: mini,
      command: { kind: 'argv', argv: ['no-such-command'] },
    });
    expect(run.facts.exit).toMatchObject({ code: 127 });
    expect(run.stderr.toString()).toMatch(/no-such-command.*not found/);
  });

  test('a file that is no image does not start', async () => {
    const path = `${bed.facts.root}/images/cut.sif`;
    await bed.run(`head -c 5000 ${quote(mini)} >${quote(path)}`);
    const run = await bed.complete({ imagePath: path, command: { kind: 'argv', argv: ['true'] } });
    expect(run.facts.exit?.code).toBeUndefined();
    expect(run.facts.exit?.runtimeLogTail).toMatch(/FATAL/);
  });

  test('an image without a shell runs its own programs, and cannot run a text', async () => {
    const imagePath = await bed.image('noshell');
    const run = await bed.complete({
      imagePath,
      command: { kind: 'argv', argv: ['echo', 'a  b'] },
    });
    expect(run.facts.exit).toMatchObject({ code: 0, direct: true });
    expect(run.stdout.toString()).toBe('a  b\n');
    const text = await bed.complete({ imagePath, command: { kind: 'text', text: 'echo x' } });
    expect(text.facts.exit?.code).toBeUndefined();
    expect(await bed.run(`cat ${quote(`${text.dir}/rc`)}`)).toMatch(/^noshell\n *\n$/);
  });
});

test('> /dev/stderr, NULs and a background child lose nothing and keep nothing waiting', async () => {
  const script = `printf 'a\\0b'; echo one >&2; echo two > /dev/stderr; sleep 300 & setsid sleep 300 & echo three >&2`;
  const run = await bed.complete({ imagePath: mini, command: { kind: 'text', text: script } });
  expect(run.facts.exit).toMatchObject({ code: 0 });
  expect(run.stdout.toString()).toBe('a\0b');
  expect(run.stderr.toString()).toBe('one\ntwo\nthree\n');
});
