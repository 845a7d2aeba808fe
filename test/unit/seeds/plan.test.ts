/** Goal: a seed is all that is needed to play a run again. Method: plans and payloads of many seeds, made twice. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesOf, codeOf, payloadOf } from '../../seeds/payload.ts';
import { KINDS, planOf } from '../../seeds/plan.ts';

const seeds = Array.from({ length: 300 }, (_, seed) => seed);

test('the same seed gives the same plan, another seed another one', () => {
  const texts = seeds.map((seed) => JSON.stringify(planOf(seed, 5)));
  expect(seeds.map((seed) => JSON.stringify(planOf(seed, 5)))).toEqual(texts);
  expect(new Set(texts).size).toBe(seeds.length);
});

test('twenty seeds try every kind of fault', () => {
  const kinds = new Set(
    seeds.slice(1, 21).flatMap((seed) => planOf(seed, 5).acts.map(({ kind }) => kind)),
  );
  expect([...kinds].toSorted()).toEqual([...KINDS].toSorted());
});

test('bytes are those of their name, as long as asked for, with the last byte as asked for', () => {
  expect(bytesOf('a', { bytes: 0, newline: true })).toHaveLength(0);
  expect(bytesOf('a', { bytes: 70_001, newline: true }).at(-1)).toBe(0x0a);
  expect(bytesOf('a', { bytes: 70_001, newline: false }).at(-1)).not.toBe(0x0a);
  const hash = (name: string): string =>
    createHash('sha256')
      .update(bytesOf(name, { bytes: 70_001, newline: true }))
      .digest('hex');
  expect(hash('a')).toBe(hash('a'));
  expect(hash('a')).not.toBe(hash('b'));
});

test('a payload prints all pieces in order, copies its output and ends with the code of its attempt', () => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-payload-'));
  try {
    const task = {
      ...planOf(3, 1).tasks[0],
      ...{ stdout: { bytes: 70_001, newline: false }, stderr: { bytes: 19, newline: true } },
      ...{ pieces: 4, pauseMs: 0, codes: [7, 0], retries: 1, output: true },
      ...{ cleanup: 'always' as const, submitAfterMs: 0 },
    };
    const [out, err] = [bytesOf('out', task.stdout), bytesOf('err', task.stderr)];
    mkdirSync(join(dir, 'inputs'));
    writeFileSync(join(dir, 'inputs/out'), out);
    writeFileSync(join(dir, 'inputs/err'), err);
    const text = payloadOf(task, 'starts')
      .replaceAll('/mnt/task/inputs', join(dir, 'inputs'))
      .replaceAll('/ledger', dir);
    const end = 'sh -c "$0" >stdout 2>stderr; echo $?';
    const code = (attempt: string) =>
      Number(
        execFileSync('sh', ['-c', end, text], {
          cwd: dir,
          env: { ...process.env, TOWLINE_ATTEMPT: attempt },
        }),
      );
    expect([code('t.1'), code('t.2'), code('t.3')]).toEqual([7, 0, 0]);
    expect([codeOf(task, 1), codeOf(task, 2), codeOf(task, 3)]).toEqual([7, 0, 0]);
    const seen = ['stdout', 'stderr', 'result.bin'].map((name) => readFileSync(join(dir, name)));
    expect(seen.map((bytes, index) => bytes.equals(index === 1 ? err : out))).toEqual([
      true,
      true,
      true,
    ]);
    expect(readFileSync(join(dir, 'starts'), 'utf8')).toMatch(/^t\.1 \d+\nt\.2 \d+\nt\.3 \d+\n$/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
