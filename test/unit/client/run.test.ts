/**
 * Goal: a script can run a task as it would a local command: output as it comes, an end that is told as a value
 * or thrown, a signal that cancels; over restarts of the daemon. Method: the real API on a real socket, a fake engine.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type Client,
  createClient,
  type RunningTask,
  TaskFailed,
  TowlineError,
} from '../../../src/client/public.ts';
import { AppError } from '../../../src/domain/failure.ts';
import { collect, FakeDaemon } from '../../support/fake-daemon.ts';
import type { FakeRun } from '../../support/fake-service.ts';
import { until } from '../../support/until.ts';

let daemon: FakeDaemon;
let client: Client;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
  client = createClient({ socketPath: daemon.socketPath });
});
afterEach(async () => {
  client.close();
  await daemon.end();
});

const task = { image: 'docker://mini', command: ['true'] };
const callsOf = (wanted: string) => daemon.service.calls.filter(({ name }) => name === wanted);
const untilCancelled = ({ cancelled }: FakeRun): Promise<number> =>
  new Promise((resolve) => cancelled.addEventListener('abort', () => resolve(143)));

async function linesOf({ stdout }: RunningTask): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of stdout.lines()) lines.push(line);
  return lines;
}

it('gives both outputs as bytes, lines and text, as often as they are asked for', async () => {
  daemon.service.script = ({ stdout, stderr }) => {
    stdout('one\ntwo, gr');
    stdout(Buffer.from([0xc3]));
    stdout(Buffer.from([0xbc]));
    stdout('n\n\nlast');
    stderr('err\n');
    return 0;
  };
  const run = await client.run(task);
  const chunks: Buffer[] = [];
  for await (const chunk of run.stdout) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('one\ntwo, grün\n\nlast');
  expect(await linesOf(run)).toEqual(['one', 'two, grün', '', 'last']);
  expect(await run.stderr.text()).toBe('err\n');
  expect(await run.done).toMatchObject({ id: run.id, state: 'succeeded', exitCode: 0 });
});

it('shows a line before the command has ended, and does not wait for who stops reading', async () => {
  const goOn = Promise.withResolvers<void>();
  daemon.service.script = async ({ stdout }) => {
    stdout('first\n');
    await goOn.promise;
    return 0;
  };
  const run = await client.run(task);
  for await (const line of run.stdout.lines()) {
    expect(line).toBe('first');
    break;
  }
  goOn.resolve();
  expect((await run.done).state).toBe('succeeded');
});

it('the outputs of all attempts come one after the other', async () => {
  daemon.service.script = ({ attempt, stdout }) => {
    stdout(`attempt ${attempt}`);
    return attempt < 3 ? 'retry' : 0;
  };
  const run = await client.run({ ...task, retries: 2 });
  expect(await linesOf(run)).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
  expect(await run.stdout.text()).toBe('attempt 1attempt 2attempt 3');
  daemon.service.script = ({ stdout }) => {
    stdout('once');
    return 0;
  };
  expect(await (await client.run({ ...task, retries: 2 })).stdout.text()).toBe('once');
});

it('a failure is thrown with code, hint and the task, or given as a value', async () => {
  daemon.service.script = () => 3;
  const run = await client.run(task);
  const error = await run.done.catch((thrown: unknown) => thrown);
  if (!(error instanceof TaskFailed)) throw new Error('not a TaskFailed');
  expect(error).toBeInstanceOf(TowlineError);
  expect(error).toMatchObject({
    name: 'TaskFailed',
    code: 'TASK_EXIT_CODE',
    hint: `see its output: towline logs ${run.id}`,
    context: { task: run.id },
    exitCode: 3,
  });
  expect(error.task.state).toBe('failed');
  // what Node prints where nobody catches it
  expect(inspect(error)).toContain("hint: 'see its output");
  expect(inspect(error)).not.toContain('submittedAt');
  const asked = await client.run(task, { reject: false });
  expect(await asked.done).toMatchObject({ state: 'failed', exitCode: 3 });
});

it('a failure that is not the command’s has no exit code', async () => {
  daemon.service.script = () => new AppError('IMAGE_MANIFEST_UNKNOWN', 'docker://mini: not there');
  const error = await (await client.run(task)).done.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'IMAGE_MANIFEST_UNKNOWN',
    message: 'docker://mini: not there',
  });
  expect((error as TaskFailed).exitCode).toBeUndefined();
});

it('a signal cancels the task: TASK_CANCELLED with the reason as cause, after its last output', async () => {
  daemon.service.script = async (run) => {
    run.stdout('begun\n');
    const code = await untilCancelled(run);
    run.stdout('last words\n');
    return code;
  };
  const stop = new AbortController();
  const run = await client.run(task, { signal: stop.signal });
  const reason = new Error('enough');
  const lines: string[] = [];
  for await (const line of run.stdout.lines()) {
    lines.push(line);
    stop.abort(reason);
  }
  expect(lines).toEqual(['begun', 'last words']);
  const error = await run.done.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'TaskFailed', code: 'TASK_CANCELLED', cause: reason });
  expect((error as TaskFailed).task.state).toBe('cancelled');
});

it('a signal that comes too late changes nothing, and is let go of', async () => {
  const stop = new AbortController();
  const run = await client.run(task, { signal: stop.signal });
  await run.done;
  stop.abort();
  expect(callsOf('cancel')).toEqual([]);
});

it('an aborted signal submits nothing; one that aborts meanwhile leaves nothing that runs', async () => {
  await expect(client.run(task, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(callsOf('submit')).toEqual([]);
  daemon.service.script = untilCancelled;
  const stop = new AbortController();
  const submitted = client.run(task, { signal: stop.signal, reject: false });
  stop.abort();
  expect((await (await submitted).done).state).toBe('cancelled');
});

it('goes on over restarts of the daemon, and cancels when it is back', async () => {
  daemon.service.script = async (run) => {
    run.stdout('one ');
    const code = await untilCancelled(run);
    run.stdout('two');
    return code;
  };
  const told: string[] = [];
  const stop = new AbortController();
  const run = await client.run(task, {
    signal: stop.signal,
    onReconnect: (state) => void told.push(state),
  });
  const seen: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of run.stdout) seen.push(chunk);
  })();
  await until(() => seen.length > 0);
  await daemon.stop();
  await until(() => told.length === 1);
  stop.abort();
  await daemon.start();
  await expect(run.done).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  await reading;
  expect(Buffer.concat(seen).toString()).toBe('one two');
  expect(told).toEqual(['lost', 'back']);
});

it('the same key is the same task: a script that is run again finds what it began', async () => {
  daemon.service.script = ({ stdout }) => {
    stdout('all of it');
    return 0;
  };
  const first = await client.run(task, { idempotencyKey: 'k' });
  await first.done;
  const again = await client.run(task, { idempotencyKey: 'k' });
  expect(again.id).toBe(first.id);
  expect(await again.stdout.text()).toBe('all of it');
});

it('what is refused rejects at once with the code of the daemon', async () => {
  await expect(client.run({ ...task, time: 'x' })).rejects.toMatchObject({
    name: 'TowlineError',
    code: 'TASK_INVALID',
  });
  await daemon.stop();
  const error = await client.run(task).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'DAEMON_NOT_RUNNING', hint: 'start it: towline daemon' });
});

it('local paths are meant from where the script runs', async () => {
  await client.run({
    ...task,
    inputs: ['a/b.txt', { path: 'c.txt', target: 'd' }, { remote: '/e', target: 'e' }],
    outputs: ['out.txt', 'x/*.csv:results/'],
    stdin: 'in.txt',
  });
  const here = process.cwd();
  expect(callsOf('submit')[0]?.args[0]).toMatchObject([
    {
      inputs: [
        { source: { path: `${here}/a/b.txt` }, target: 'b.txt' },
        { source: { path: `${here}/c.txt` }, target: 'd' },
        { source: { kind: 'remote', path: '/e' } },
      ],
      outputs: [
        { pattern: 'out.txt', local: `${here}/out.txt` },
        { pattern: 'x/*.csv', local: `${here}/results/` },
      ],
      stdin: { path: `${here}/in.txt` },
    },
  ]);
});

it('other calls reject with the reason of their signal', async () => {
  daemon.service.script = untilCancelled;
  const { id } = await client.run(task);
  const reason = new Error('not that long');
  const stop = new AbortController();
  const waiting = client.wait(id, { signal: stop.signal });
  await until(async () => (await client.get(id)).attempt === 1);
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

it('finds the socket by itself, and a script ends when its work is done', async () => {
  const file = join(daemon.directory, 'script.mts');
  const entry = join(import.meta.dirname, '../../../src/client/public.ts');
  writeFileSync(
    file,
    `import { createClient } from '${entry}';
const run = await createClient().run(${JSON.stringify(task)});
await run.done;
console.log('ended');`,
  );
  for (const env of [
    { TOWLINE_SOCKET: daemon.socketPath },
    { TOWLINE_CONFIG: join(daemon.directory, 'towline.ini') },
  ]) {
    writeFileSync(
      join(daemon.directory, 'towline.ini'),
      `[daemon]\nsocket = ${daemon.socketPath}\n`,
    );
    const child = spawn(process.execPath, [file], {
      env: { PATH: process.env['PATH'], HOME: daemon.directory, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { code, stdout, stderr } = await collect(child);
    expect({ code, out: stdout.toString(), err: stderr.toString() }).toEqual({
      code: 0,
      out: 'ended\n',
      err: '',
    });
  }
});
