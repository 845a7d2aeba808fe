/**
 * Goal: a host that lets a program have few arguments is no different from others, and nothing is silently
 * missing on it. Method: the kernel's own limit (a small stack), and a grep that does not start.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
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
