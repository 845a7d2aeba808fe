/**
 * Goal: nothing of an attempt but what is the payload's can be read by others, and the payload works under
 * the mask that the account is used to. Method: a launch as a control shell carries it, under several masks.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wrapCommand } from '../../src/remote/shell/wrap.ts';
import { openBench } from '../support/script-bench.ts';

/** Bound into the container: what the payload finds there is as it would make it itself. */
const PAYLOADS = /^(work|home|tmp|vartmp|inputs)(\/|$)/;

test.each(['000', '022', '077'])('an attempt under umask %s', async (mask) => {
  const bench = await openBench();
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const attempt = bench.attempt('umask; true >work/made; mkdir work/dir', {
    plan: { tmpDir: bench.dir },
  });
  await bench.run(`umask ${mask}\n${wrapCommand(attempt.text(), 'f00d')}`);
  await attempt.ended();
  expect(await attempt.read('stdout')).toBe(`0${mask}\n`);
  const modeOf = async (name: string) => (await lstat(join(attempt.dir, name))).mode & 0o777;
  const left = 0o777 & ~Number.parseInt(mask, 8);
  expect(await modeOf('work')).toBe(left);
  expect(await modeOf('work/dir')).toBe(left);
  expect(await modeOf('work/made')).toBe(left & 0o666);
  const open: string[] = [];
  for (const name of ['.', ...(await readdir(attempt.dir, { recursive: true }))]) {
    const mode = await modeOf(name);
    if (!PAYLOADS.test(name) && (mode & 0o077) !== 0) open.push(`${mode.toString(8)} ${name}`);
  }
  expect(open).toEqual([]);
});
