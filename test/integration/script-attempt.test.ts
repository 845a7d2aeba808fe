/**
 * Goal: one attempt from launch to exit record, by the real texts, whatever sh the host has.
 * Method: a fake runtime runs the command on this machine; a ledger in the command counts starts.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { judge } from '../../src/script/verdict.ts';
import { type Attempt, type Bench, fresh, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

async function bench(shell?: readonly string[]): Promise<Bench> {
  const made = await openBench(shell);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

/** Nothing of the attempt lives any more. */
async function nothingLeft(on: Bench, attempt: Attempt): Promise<void> {
  await until(
    async () => {
      const { payload, crew } = await on.living(attempt.token);
      return payload.length + crew.length === 0;
    },
    () => `${attempt.token} to be gone`,
  );
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))(
  'with %s as sh',
  (_, shell) => {
    test('a command runs once, its streams and code are exact, and nothing is left', async () => {
      const on = await bench(shell);
      const attempt = on.attempt("printf 'out\\0\\n'; printf 'err' >&2; exit 42");
      expect(await attempt.launch()).toMatchObject({ kind: 'launched', mine: true });
      const { exit, stdoutBytes, stderrBytes } = await attempt.ended();
      expect(exit).toMatchObject({
        code: 42,
        runtimeCode: 42,
        stdoutBytes: 5,
        stderrBytes: 3,
        direct: false,
      });
      expect([stdoutBytes, stderrBytes]).toEqual([5, 3]);
      expect(exit?.limit).toBeUndefined();
      expect(exit?.copier).toBeUndefined();
      expect(await attempt.read('stdout')).toBe('out\0\n');
      expect(await attempt.read('stderr')).toBe('err');
      await nothingLeft(on, attempt);
    });

    test.each([0, 1, 42, 125, 137, 255])('code %i of a command is told exactly', async (code) => {
      const on = await bench(shell);
      const attempt = on.attempt(`exit ${code}`);
      await attempt.launch();
      expect((await attempt.ended()).exit).toMatchObject({ code });
    });

    test("a container that does not start has no code, and the runtime's words are kept byte for byte", async () => {
      const on = await bench(shell);
      const attempt = on.attempt('exit 0', { image: 'broken' });
      await attempt.launch();
      const { exit } = await attempt.ended();
      expect(exit?.code).toBeUndefined();
      expect(exit).toMatchObject({
        runtimeCode: 255,
        runtimeLogTail: 'FATAL: cannot mount "x\\y" …\n',
      });
    });

    test('an image without a shell still runs an argv command', async () => {
      const on = await bench(shell);
      const attempt = on.attempt('echo direct; echo two >&2; exit 7', { image: 'noshell' });
      await attempt.launch();
      expect((await attempt.ended()).exit).toMatchObject({ code: 7, direct: true });
      expect(await attempt.read('stdout')).toBe('direct\n');
      expect(await attempt.read('stderr')).toBe('two\n');
    });

    test('an image without a shell cannot run a text, and says so', async () => {
      const on = await bench(shell);
      const attempt = on.attempt('', {
        image: 'noshell',
        plan: { command: { kind: 'text', text: 'true' } },
      });
      await attempt.launch();
      const { exit } = await attempt.ended();
      expect(exit?.code).toBeUndefined();
      expect(await attempt.read('rc')).toMatch(/^noshell\n *\n$/);
    });

    test('a stream at its cap ends a payload that ignores SIGPIPE; the file is as long as the cap', async () => {
      const on = await bench(shell);
      const line = `trap '' PIPE; while :; do printf '%01023d\\n' 1; done`;
      const attempt = on.attempt(line, { launch: { outputLimitBytes: 10_240 } });
      await attempt.launch();
      expect((await attempt.ended()).exit).toMatchObject({ limit: 'stdout', stdoutBytes: 10_240 });
      await nothingLeft(on, attempt);
    });

    test('output of exactly the cap is no violation', async () => {
      const on = await bench(shell);
      const attempt = on.attempt(`printf '%01024d' 1`, { launch: { outputLimitBytes: 1024 } });
      await attempt.launch();
      const { exit } = await attempt.ended();
      expect(exit).toMatchObject({ code: 0, stdoutBytes: 1024 });
      expect(exit?.limit).toBeUndefined();
    });

    test('a time limit holds without any connection, against a payload that ignores TERM', async () => {
      const on = await bench(shell);
      const attempt = on.attempt(`trap '' TERM; while :; do sleep 1; done`, {
        launch: { timeLimitMs: 200 },
      });
      await attempt.launch();
      expect((await attempt.ended()).exit).toMatchObject({ limit: 'time' });
      await nothingLeft(on, attempt);
    });

    test('a killed supervisor takes neither the payload, nor its output, nor its code along', async () => {
      const on = await bench(shell);
      const attempt = on.attempt('until [ -e work/go-on ]; do sleep 0.02; done; echo late; exit 9');
      const reply = await attempt.launch();
      if (reply.kind !== 'launched') throw new Error(reply.kind);
      const { launch } = reply;
      const query = { nonce: launch.nonce, pid: launch.pid };
      const before = await attempt.status(query);
      expect(judge({ ...before, launch })).toMatchObject({ kind: 'running' });
      // started is said before there is a payload
      await until(async () => (await on.living(attempt.token)).payload.length > 0);
      process.kill(launch.pid, 'SIGKILL');
      await until(async () => (await attempt.status(query)).facts.supervisorStart === undefined);
      const after = await attempt.status(query);
      expect(judge({ ...after, launch })).toEqual({ kind: 'dead-suspect', sightings: 1 });
      expect((await on.living(attempt.token)).payload.length).toBeGreaterThan(0);
      spawnSync('touch', [`${attempt.dir}/work/go-on`]);
      await nothingLeft(on, attempt);
      const { parseSalvage, salvageText } = await import('../../src/script/sweep.ts');
      const left = parseSalvage(
        await on.run(salvageText({ dir: attempt.dir, nonce: launch.nonce })),
      );
      expect(left).toMatchObject({ code: 9, stdoutBytes: 5, salvaged: true });
      expect(await attempt.read('stdout')).toBe('late\n');
    });
  },
);

test('> /dev/stderr in a command loses nothing written before', async () => {
  const on = await bench();
  const attempt = on.attempt(
    'echo one >&2; echo two > /dev/stderr; echo three >&2; echo x > /dev/stdout; echo y',
  );
  await attempt.launch();
  await attempt.ended();
  expect(await attempt.read('stderr')).toBe('one\ntwo\nthree\n');
  expect(await attempt.read('stdout')).toBe('x\ny\n');
});

test('a background child that holds the pipe does not keep the task running, and is ended', async () => {
  const on = await bench();
  const attempt = on.attempt('sleep 300 & setsid sleep 300 & echo done');
  await attempt.launch();
  expect((await attempt.ended()).exit).toMatchObject({ code: 0, stdoutBytes: 5 });
  await nothingLeft(on, attempt);
});

test('a killed copier is recorded as such', async () => {
  const on = await bench();
  const attempt = on.attempt('echo begun >&2; sleep 300');
  await attempt.launch();
  await until(async () => (await attempt.read('stderr')) === 'begun\n');
  const { crew } = await on.living(attempt.token);
  const copier = crew.find((pid) => {
    const link = spawnSync('readlink', [`/proc/${pid}/fd/1`], { encoding: 'utf8' }).stdout;
    return link.trim() === `${attempt.dir}/stderr`;
  });
  process.kill(copier as number, 'SIGKILL');
  expect((await attempt.ended()).exit).toMatchObject({
    copier: 'stderr',
    copierCode: 137,
    stderrBytes: 6,
  });
  await nothingLeft(on, attempt);
});

test('INT and QUIT, ignored by background shells, are not ignored by the payload', async () => {
  const on = await bench();
  const attempt = on.attempt(
    'grep SigIgn /proc/self/status; kill -INT $$; sleep 1; echo not interrupted',
  );
  await attempt.launch();
  const { exit } = await attempt.ended();
  expect(exit).toMatchObject({ code: 130 });
  expect(await attempt.read('stdout')).toMatch(/^SigIgn:\s+0+\n$/);
});

test('2 MB on both streams at once arrive whole', async () => {
  const on = await bench();
  const attempt = on.attempt('seq 200000 & seq 200000 >&2; wait');
  await attempt.launch();
  const whole = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
  expect((await attempt.ended()).exit).toMatchObject({
    stdoutBytes: whole.length,
    stderrBytes: whole.length,
  });
  expect(await attempt.read('stdout')).toBe(whole);
  expect(await attempt.read('stderr')).toBe(whole);
});

test('standard input is the staged object, else it is empty', async () => {
  const on = await bench();
  const attempt = on.attempt('cat; echo end');
  await attempt.launch(fresh());
  await attempt.ended();
  expect(await attempt.read('stdout')).toBe('end\n');
});
