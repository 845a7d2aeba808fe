/**
 * Goal: a cancel ends everything of an attempt and nothing else. Method: payloads that resist; all
 * processes of the token are counted before and after.
 */
import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { type Attempt, type Bench, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

async function bench(shell?: readonly string[]): Promise<Bench> {
  const made = await openBench(shell);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

async function started(attempt: Attempt): Promise<void> {
  await attempt.launch();
  await until(async () => (await attempt.read('stdout')).includes('begun'));
}

const RESIST = `trap '' TERM INT HUP; (setsid bash -c "trap '' TERM; while :; do sleep 1; done" &) ; (trap '' TERM; while :; do sleep 1; done) & echo begun; while :; do sleep 1; done`;

test.each(SHELLS)(
  'a payload that ignores TERM and daemonises is ended to the last process (%s %s)',
  async (...shell) => {
    const on = await bench(shell.filter((word) => word !== undefined));
    const attempt = on.attempt(RESIST);
    await started(attempt);
    expect((await on.living(attempt.token)).payload.length).toBeGreaterThan(3);
    expect(await attempt.cancel(200)).toEqual({ kind: 'killing' });
    await until(async () => (await attempt.status()).facts.killed);
    expect(await on.living(attempt.token)).toEqual({ payload: [], crew: [] });
    expect((await attempt.ended()).exit).toMatchObject({ runtimeCode: 137 });
    expect(await attempt.cancel()).toEqual({ kind: 'ended' });
  },
);

test('a payload that ends on TERM is given the time to do so', async () => {
  const on = await bench();
  const attempt = on.attempt(
    `trap 'echo cleaned up; exit 3' TERM; echo begun; while :; do sleep 0.05; done`,
  );
  await started(attempt);
  expect(await attempt.cancel(20_000)).toEqual({ kind: 'killing' });
  expect((await attempt.ended()).exit).toMatchObject({ code: 3 });
  expect(await attempt.read('stdout')).toContain('cleaned up');
});

test('ten cancels at once start one killer after the other at most, and all agree', async () => {
  const on = await bench();
  const attempt = on.attempt(RESIST);
  await started(attempt);
  const replies = await Promise.all(Array.from({ length: 10 }, () => attempt.cancel(100)));
  for (const reply of replies) expect(['killing', 'ended', 'killed']).toContain(reply.kind);
  await until(async () => (await attempt.status()).facts.killed);
  expect(await on.living(attempt.token)).toEqual({ payload: [], crew: [] });
});

test('a cancel without a supervisor still finds the payload', async () => {
  const on = await bench();
  const attempt = on.attempt(RESIST);
  const reply = await attempt.launch();
  await started(attempt);
  if (reply.kind === 'launched') process.kill(reply.launch.pid, 'SIGKILL');
  await attempt.cancel(100);
  await until(async () => (await attempt.status()).facts.killed);
  expect(await on.living(attempt.token)).toEqual({ payload: [], crew: [] });
});

test('an attempt whose number begins with the same digits is not touched', async () => {
  const on = await bench();
  const attempt = on.attempt(RESIST);
  await started(attempt);
  const stranger = spawn('sleep', ['300'], {
    env: { ...process.env, TOWLINE_ATTEMPT: `${attempt.token}1` },
    stdio: 'ignore',
  });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  await attempt.cancel(100);
  await until(async () => (await attempt.status()).facts.killed);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
});

test('what runs on another machine, or before a boot, is not signalled', async () => {
  const on = await bench();
  const attempt = on.attempt(RESIST);
  await started(attempt);
  const sup = `${attempt.dir}/$(cd "${attempt.dir}" && ls sup.*.json)`;
  await on.run(
    `cp "${sup}" "${on.dir}/kept"; sed -i 's/"hostname":"[^"]*"/"hostname":"node7"/' "${sup}"`,
  );
  expect(await attempt.cancel()).toEqual({ kind: 'elsewhere', hostname: 'node7' });
  await on.run(`sed 's/"boot":"[^"]*"/"boot":"another"/' "${on.dir}/kept" >"${sup}"`);
  expect(await attempt.cancel()).toEqual({ kind: 'rebooted' });
  expect((await on.living(attempt.token)).payload.length).toBeGreaterThan(3);
  await on.run(`rm "${attempt.dir}"/killed.*; cat "${on.dir}/kept" >"${sup}"`);
  await attempt.cancel(50);
  await until(async () => (await attempt.status()).facts.killed);
});
