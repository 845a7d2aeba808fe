/**
 * Goal: attempts in jobs, by the real texts, whatever sh the host has: they start through their ticket only, one
 * of a pilot is ended without the others, and the scheduler's TERM to all of a job leaves a record.
 * Method: a fake runtime runs the command on this machine, and a fake sbatch starts job.sh as Slurm would.
 */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ID_LINE } from '../../src/scheduler/slurm/submit.ts';
import { cancelText, parseCancel } from '../../src/script/cancel.ts';
import { cleanText, parseClean } from '../../src/script/clean.ts';
import { batchDir } from '../../src/script/job.ts';
import { takeNotedJob } from '../../src/script/noted-job.ts';
import { parseSubmit, submitText } from '../../src/script/submit-job.ts';
import { type Attempt, type Bench, DAEMON, fresh, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

const VARIABLES = {
  id: '${SLURM_JOB_ID:-0}',
  restart: '${SLURM_RESTART_COUNT:-0}',
  index: '${SLURM_ARRAY_TASK_ID:-0}',
};

async function bench(shell: readonly string[]): Promise<Bench> {
  const made = await openBench(shell);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

const asJob = (on: Bench, line: string): Attempt => on.attempt(line, { launch: { asJob: true } });

interface SubmitChanges {
  batch?: string;
  pilot?: boolean;
  walltimeMs?: number;
  timeLimitMs?: number;
  command?: string[];
}

/** Publishes a batch; the command says an id and starts nothing. */
async function submit(on: Bench, attempts: readonly Attempt[], more: SubmitChanges = {}) {
  const { batch = `b${fresh()}`, pilot = false, timeLimitMs = 0, walltimeMs } = more;
  const place = { root: on.root, daemonId: DAEMON, batch };
  const tasks = attempts.map(({ token }) => ({
    ...{ token, outputLimitBytes: 0, timeLimitMs, hasOutputs: false },
  }));
  const text = submitText({
    ...{ ...place, tasks, pilot, walltimeMs, nonce: fresh() },
    command: more.command ?? ['echo', '77'],
    ...{ variables: VARIABLES, idLine: ID_LINE, timeoutS: 20, setup: [], unset: ['X'] },
  });
  return { batch, dir: batchDir(place), reply: parseSubmit(await on.run(text)) };
}

/** Runs job.sh as a scheduler does. */
function runJob(
  on: Bench,
  dir: string,
  env: Record<string, string>,
): { ended: Promise<number>; pid: number } {
  const child = spawn('sh', [join(dir, 'job.sh')], {
    env: { ...process.env, PATH: `${on.dir}/bin:${process.env['PATH']}`, ...env },
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? -1) : -1));
  });
  return { ended, pid: child.pid ?? 0 };
}

const cancel = async (on: Bench, { token }: Attempt) => {
  const plan = { root: on.root, daemonId: DAEMON, token, nonce: fresh() };
  return on.run(cancelText({ ...plan, graceMs: 300, mvNoTarget: true, asJob: true }));
};

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))(
  'with %s as sh',
  (_, shell) => {
    test('it is published, noted with its batch, and runs once, however often its job does', async () => {
      const on = await bench(shell);
      const attempt = asJob(on, 'echo run >>ledger; echo out; echo err >&2; exit 42');
      expect(await attempt.launch()).toEqual({ kind: 'published' });
      const { batch, dir, reply } = await submit(on, [attempt]);
      expect(reply).toMatchObject({ code: 0, id: '77', stderr: '' });
      expect(await attempt.launch()).toEqual({
        kind: 'published',
        job: { batch, index: 0, id: '77', pilot: false },
      });
      expect(await runJob(on, dir, { SLURM_JOB_ID: '77' }).ended).toBe(42);
      const again = runJob(on, dir, { SLURM_JOB_ID: '77', SLURM_RESTART_COUNT: '1' });
      expect(await again.ended).toBe(0);
      expect(await attempt.launch()).toMatchObject({
        kind: 'launched',
        launch: { nonce: '77.0' },
        job: { batch, index: 0, id: '77', pilot: false },
        mine: false,
      });
      const { exit } = await attempt.ended();
      expect(exit).toMatchObject({ code: 42, stdoutBytes: 4, stderrBytes: 4, nonce: '77.0' });
      expect(await attempt.read('stdout')).toBe('out\n');
      expect(await attempt.read('ledger')).toBe('run\n');
      expect(await attempt.names()).toContain('requeued.77.1');
    });

    test('an array runs the attempt of its index; two jobs for one ticket start it once', async () => {
      const on = await bench(shell);
      const attempts = [1, 2, 3].map((n) => asJob(on, `echo run >>ledger; echo ${n}`));
      for (const attempt of attempts) await attempt.launch();
      const first = await submit(on, attempts);
      const second = await submit(on, attempts);
      const runs = [first, second].flatMap(({ dir }, job) =>
        [0, 1, 2].map(
          (index) =>
            runJob(on, dir, { SLURM_JOB_ID: `9${job}${index}`, SLURM_ARRAY_TASK_ID: `${index}` })
              .ended,
        ),
      );
      expect(await Promise.all(runs)).toEqual([0, 0, 0, 0, 0, 0]);
      for (const [at, attempt] of attempts.entries()) {
        expect(await attempt.read('stdout')).toBe(`${at + 1}\n`);
        expect(await attempt.read('ledger')).toBe('run\n');
      }
    });

    test('TERM to all of a job ends the payload and leaves its record with all it printed', async () => {
      const on = await bench(shell);
      const attempt = asJob(
        on,
        'trap "echo told; exit 0" TERM; echo up; while :; do sleep 0.1; done',
      );
      await attempt.launch();
      const { dir } = await submit(on, [attempt]);
      const { ended, pid } = runJob(on, dir, { SLURM_JOB_ID: '5' });
      await until(
        async () => (await attempt.read('stdout')) === 'up\n',
        () => 'the first line',
      );
      // as slurmstepd: every process of the job
      const { payload, crew } = await on.living(attempt.token);
      for (const one of [pid, ...crew, ...payload]) {
        try {
          process.kill(one, 'SIGTERM');
        } catch {
          // it has ended by itself meanwhile
        }
      }
      await ended;
      const { exit } = await attempt.ended();
      expect(exit).toMatchObject({ code: 0, limit: 'job', stdoutBytes: 8 });
      expect(await attempt.read('stdout')).toBe('up\ntold\n');
      expect((await on.living(attempt.token)).payload).toEqual([]);
    });

    test('a pilot runs one after the other; one is ended without the others', async () => {
      const on = await bench(shell);
      const attempts = [
        asJob(on, 'echo first; exit 3'),
        asJob(on, 'echo up; sleep 60'),
        asJob(on, 'echo cancelled before'),
        asJob(on, 'echo last'),
      ] as const;
      for (const attempt of attempts) await attempt.launch();
      const { batch, dir } = await submit(on, attempts, { pilot: true });
      const early = await cancel(on, attempts[2]);
      expect(parseCancel(early)).toEqual({ kind: 'cancelled-before-start' });
      expect(takeNotedJob(early).job).toEqual({ batch, index: 2, id: '77', pilot: true });
      const { ended } = runJob(on, dir, { SLURM_JOB_ID: '77' });
      await until(
        async () => (await attempts[1].read('stdout')) === 'up\n',
        () => 'the second to be up',
      );
      expect((await attempts[0].ended()).exit).toMatchObject({ code: 3, nonce: '77.0' });
      expect(parseCancel(await cancel(on, attempts[1]))).toEqual({ kind: 'in-job' });
      expect(await ended).toBe(0);
      expect((await attempts[1].ended()).exit).toMatchObject({ code: 143, limit: 'job' });
      expect(await attempts[2].names()).not.toContain('exit.json');
      expect(await attempts[3].read('stdout')).toBe('last\n');
    });

    test('what does not fit into what is left of a pilot keeps its ticket', async () => {
      const on = await bench(shell);
      const attempts = [asJob(on, 'echo one'), asJob(on, 'echo two')] as const;
      for (const attempt of attempts) await attempt.launch();
      const { dir } = await submit(on, attempts, {
        ...{ pilot: true, walltimeMs: 60_000, timeLimitMs: 61_000 },
      });
      expect(await runJob(on, dir, { SLURM_JOB_ID: '1' }).ended).toBe(0);
      for (const attempt of attempts) expect(await attempt.names()).toContain('ticket');
    });

    test('the directory of a batch goes with the last of its attempts', async () => {
      const on = await bench(shell);
      const attempts = [asJob(on, 'echo one'), asJob(on, 'echo two')] as const;
      for (const attempt of attempts) await attempt.launch();
      const { dir } = await submit(on, attempts);
      const clean = async ({ token }: Attempt) => {
        const plan = { root: on.root, daemonId: DAEMON, tokens: [token] };
        return parseClean(plan, await on.run(cleanText(plan))).get(token)?.kind;
      };
      expect(await clean(attempts[0])).toBe('cleaned');
      expect(await readFile(join(dir, 'map'), 'utf8')).toContain(attempts[1].token);
      expect(await clean(attempts[1])).toBe('cleaned');
      await expect(readFile(join(dir, 'map'), 'utf8')).rejects.toThrow('ENOENT');
    });
  },
);

test('the id is found among what a site prints around it, and what was said comes whole', async () => {
  const on = await bench(['dash']);
  const attempt = asJob(on, 'true');
  await attempt.launch();
  const script = join(on.dir, 'noisy');
  await writeFile(
    script,
    "printf 'Welcome\\n12 jobs today\\n4711;alps\\nbye\\n'; echo 'careful: \\\\x' >&2; exit 1",
  );
  const { reply } = await submit(on, [attempt], { command: ['sh', script] });
  expect(reply).toMatchObject({ code: 1, id: '4711', stderr: 'careful: \\x\n' });
  const none = await submit(on, [attempt], { command: ['sh', '-c', 'echo no >&2; exit 3'] });
  expect(none.reply).toEqual({ code: 3, id: undefined, stdout: '', stderr: 'no\n' });
});
