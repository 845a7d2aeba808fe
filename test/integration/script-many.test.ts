/**
 * Goal: a host that lets a program have few arguments is no different from others, and nothing is silently
 * missing on it. Method: the kernel's own limit (a small stack), and a grep that does not start.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { haveObjectsText, parseHaveObjects } from '../../src/script/objects.ts';
import { parseStatus, statusText } from '../../src/script/status.ts';
import { openBench } from '../support/script-bench.ts';

async function bench() {
  const on = await openBench();
  onTestFinished(() => on[Symbol.asyncDispose]());
  return on;
}

test('row 27: sizes of ten thousand attempts are told, whatever the limit of the stack', async () => {
  const on = await bench();
  const dir = join(on.root, 'tasks', 'd', 't.1');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'stdout'), '12345');
  await copyFile(join(dir, 'stdout'), join(dir, 'stderr'));
  const queries = Array.from({ length: 10_000 }, () => ({ dir, nonce: 'n', pid: 0 }));
  // environment and stack share the limit, and those of a login may be large
  const output = await on.run(`ulimit -s 160\n${statusText(queries)}`);
  const { attempts } = parseStatus(queries, output);
  expect(attempts.filter((one) => one.stdoutBytes === 5 && one.stderrBytes === 5)).toHaveLength(
    10_000,
  );
});

test('row 27: ten thousand inputs, and eight hundred directories, are found and placed with a small stack', async () => {
  const on = await bench();
  const sha256 = 'ab'.repeat(32);
  const object = `${sha256}-0644`;
  await writeFile(join(on.root, 'store', object), 'x');
  const names = Array.from({ length: 10_000 }, () => object);
  const query = { root: on.root, daemonId: 'd', names };
  const said = await on.run(`ulimit -s 256\n${haveObjectsText(query)}`);
  expect(parseHaveObjects(said, { host: 'h', names }).present).toEqual(new Set([object]));
  expect(said).not.toContain('too long');
  const files = Array.from({ length: 800 }, (_, index) => ({
    ...({ kind: 'object', sha256, mode: 0o644, bytes: 1 } as const),
    target: `${'d'.repeat(200)}${index}/file`,
  }));
  const attempt = on.attempt('ls inputs | wc -l', { inputs: { files } });
  await on.run(`ulimit -s 256\n${attempt.text()}`);
  await attempt.ended();
  expect(await attempt.read('stdout')).toBe('800\n');
});

test.each([
  ['by one program', ':'],
  ['one by one, where that does not start', 'awk() { return 126; }'],
  ['one by one, where there is none', 'PATH=$HOME/few; export PATH'],
])(
  'row 27: of many attempts each supervisor that lives is seen, and no other: %s',
  async (_, before) => {
    const on = await bench();
    await mkdir(join(on.dir, 'few'));
    const dir = join(on.root, 'tasks', 'd', 't.1');
    await mkdir(dir, { recursive: true });
    const own = String((await readFile('/proc/self/stat', 'utf8')).split(') ')[1]).split(' ')[19];
    const dead = 4_194_305;
    const pids = Array.from({ length: 40 }, (_each, index) => (index % 4 > 0 ? process.pid : dead));
    const queries = pids.map((pid) => ({ dir, nonce: 'n', pid }));
    const { attempts } = parseStatus(queries, await on.run(`${before}\n${statusText(queries)}`));
    expect(attempts.map(({ supervisorStart }) => supervisorStart)).toEqual(
      pids.map((pid) => (pid === dead ? undefined : own)),
    );
  },
);

test.each([
  ['there is none', 'perl() { return 127; }'],
  ['it makes one and gives up', 'perl() { ln "$3/$5" "$4/$6"; false; }'],
])(
  'inputs are links also where the program for many of them does not work: %s',
  async (_, perl) => {
    const on = await bench();
    const sha256 = 'ab'.repeat(32);
    await writeFile(join(on.root, 'store', `${sha256}-0644`), 'x');
    const files = Array.from({ length: 20 }, (_each, index) => ({
      ...({ kind: 'object', sha256, mode: 0o644, bytes: 1 } as const),
      target: `it's ${index}/\n"file"`,
    }));
    const attempt = on.attempt('find inputs -type f -links 21 -exec cat {} +', {
      inputs: { files },
    });
    await on.run(`${perl}\n${attempt.text()}`);
    await attempt.ended();
    expect(await attempt.read('stdout')).toBe('x'.repeat(20));
  },
);

test('row 27: where grep cannot be given all processes, they are asked by parts: a payload that lives is seen', async () => {
  const on = await bench();
  const attempt = on.attempt('sleep 1000');
  const launched = await attempt.launch();
  expect(launched.kind).toBe('launched');
  const real = execFileSync('sh', ['-c', 'command -v grep'], { encoding: 'utf8' }).trim();
  // as the kernel answers: E2BIG
  const refuse = `first='' many=''
for name; do
  case $name in /proc/*/environ) digit=\${name#/proc/} digit=\${digit%"\${digit#?}"}; [ -z "$first" ] && first=$digit; [ "$digit" = "$first" ] || many=1 ;; esac
done
[ -z "$many" ] || { echo 'grep: Argument list too long' >&2; exit 126; }`;
  await writeFile(join(on.dir, 'bin', 'grep'), `#!/bin/sh\n${refuse}\nexec ${real} "$@"\n`, {
    mode: 0o755,
  });
  expect((await on.living(attempt.token)).payload.length).toBeGreaterThan(0);
  await attempt.cancel(0);
  await attempt.ended();
  expect((await on.living(attempt.token)).payload).toEqual([]);
});
