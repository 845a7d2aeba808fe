/**
 * Goal: what a dead supervisor's attempt left is never taken for more than it is. Method: the real texts on this
 * machine; a copier is held, the supervisor killed, the command let end, and then the copier killed as well.
 */
import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { parseSalvage, salvageText } from '../../src/script/sweep.ts';
import { openBench } from '../support/script-bench.ts';
import { until } from '../support/until.ts';

test('a copier that was killed as well is told, though the command left its code', async () => {
  const on = await openBench();
  onTestFinished(() => on[Symbol.asyncDispose]());
  const attempt = on.attempt('until [ -e work/go-on ]; do sleep 0.02; done; echo lost');
  const reply = await attempt.launch();
  if (reply.kind !== 'launched') throw new Error(reply.kind);
  const { pid, nonce } = reply.launch;
  const { crew } = await on.living(attempt.token);
  const copier = crew.find((one) => {
    const { stdout } = spawnSync('readlink', [`/proc/${one}/fd/1`], { encoding: 'utf8' });
    return stdout.trim() === `${attempt.dir}/stdout`;
  });
  if (copier === undefined) throw new Error('no copier');
  process.kill(copier, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  spawnSync('touch', [`${attempt.dir}/work/go-on`]);
  await until(async () => (await on.living(attempt.token)).payload.length === 0);
  process.kill(copier, 'SIGKILL');
  await until(async () => (await on.living(attempt.token)).crew.length === 0);
  expect(await attempt.read('stdout')).toBe('');
  const left = await on.run(salvageText({ dir: attempt.dir, nonce }));
  expect(parseSalvage(left)).toMatchObject({ code: 0, copier: 'stdout', salvaged: true });
});
