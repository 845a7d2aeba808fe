/**
 * Goal: `towline run` behaves like a local command. Method: the real command as a process, talking
 * over a real socket to the real API, behind which a fake engine plays the task.
 */
import { createHash, randomBytes } from 'node:crypto';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { collect, FakeDaemon } from '../../support/fake-daemon.ts';
import type { FakeRun } from '../../support/fake-service.ts';
import { until } from '../../support/until.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

const RUN = ['run', 'docker://mini', '--', 'cmd'];
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const firstTask = () => [...daemon.service.entries.values()][0]?.task;

describe('exit codes', () => {
  it.each([0, 1, 42, 125, 137, 255])('ends with %i when the command did', async (code) => {
    daemon.service.script = (run) => {
      run.stdout('out\n');
      run.stderr('err\n');
      return code;
    };
    const result = await daemon.cli(RUN);
    expect(result).toMatchObject({
      code,
      stdout: Buffer.from('out\n'),
      stderr: Buffer.from('err\n'),
    });
  });

  it('ends with the own code of a command whose code was accepted', async () => {
    daemon.service.script = () => 3;
    const result = await daemon.cli(['run', '--accept-exit', '0,3', 'docker://mini', '--', 'cmd']);
    expect(result.code).toBe(3);
  });

  it('ends with 125 and says why when the container did not start', async () => {
    daemon.service.script = () =>
      new AppError('RUNTIME_START_FAILED', 'no such file', { context: { task: 'abc' } });
    const result = await daemon.cli(RUN);
    expect(result.code).toBe(125);
    const [said, rest] = result.stderr.toString().split('in full: ');
    expect(said).toBe(
      "towline: RUNTIME_START_FAILED: no such file\nhint: read the runtime's words: towline logs abc --runtime; if no container starts there: towline host doctor HOST\n",
    );
    expect(rest).toMatch(/^towline logs (\w+), towline logs \1 --runtime\n$/);
  });

  it('ends with 125 when there is no daemon, and with a bad option', async () => {
    expect((await daemon.cli(['run', '--bogus', 'x', '--', 'y'])).code).toBe(125);
    await daemon.stop();
    const result = await daemon.cli(RUN);
    expect(result.code).toBe(125);
    expect(result.stderr.toString()).toContain(`there is no socket ${daemon.socketPath}`);
    expect(result.stderr.toString()).toContain('hint: start it: towline daemon');
  });
});

describe('streams', () => {
  it('keeps 50 MB of both streams apart and byte-exact', async () => {
    const out = randomBytes(25_000_000);
    const err = randomBytes(25_000_000);
    daemon.service.script = async (run) => {
      for (let i = 0; i < out.length; i += 1_000_000) {
        run.stdout(out.subarray(i, i + 1_000_000));
        run.stderr(err.subarray(i, i + 1_000_000));
        await new Promise(setImmediate);
      }
      return 0;
    };
    const result = await daemon.cli(RUN);
    expect([result.code, sha(result.stdout), sha(result.stderr)]).toEqual([0, sha(out), sha(err)]);
  });

  it('shows each line when it is printed, not at the end', async () => {
    const goOn = Promise.withResolvers<void>();
    daemon.service.script = async (run) => {
      run.stdout('first\n');
      await goOn.promise;
      return 0;
    };
    const child = daemon.spawn(RUN);
    const result = collect(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    goOn.resolve();
    expect((await result).stdout.toString()).toBe('first\n');
  });

  it('prints the output of each attempt in order', async () => {
    daemon.service.script = (run) => {
      run.stdout(`attempt ${run.attempt}\n`);
      return run.attempt === 1 ? 'retry' : 0;
    };
    const result = await daemon.cli(RUN);
    expect(result).toMatchObject({ code: 0, stdout: Buffer.from('attempt 1\nattempt 2\n') });
  });

  it('goes on at the right byte when the daemon restarts in the middle', async () => {
    const goOn = Promise.withResolvers<void>();
    daemon.service.script = async (run) => {
      run.stdout('before ');
      await goOn.promise;
      run.stdout('after\n');
      return 7;
    };
    const child = daemon.spawn(RUN);
    const result = collect(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await daemon.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await daemon.start();
    goOn.resolve();
    expect(await result).toMatchObject({
      code: 7,
      stdout: Buffer.from('before after\n'),
      stderr: Buffer.alloc(0),
    });
  });
});

describe('signals', () => {
  const untilCancelled = async (run: FakeRun): Promise<number> => {
    run.stdout('started\n');
    await new Promise((resolve) => run.cancelled.addEventListener('abort', resolve));
    return 143;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'cancels on %s, waits for it and ends with 130',
    async (signal) => {
      daemon.service.script = untilCancelled;
      const child = daemon.spawn(RUN);
      const result = collect(child);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      child.kill(signal);
      expect(await result).toMatchObject({ code: 130 });
      expect(firstTask()?.state.kind).toBe('cancelled');
    },
  );

  it('cancels also when the daemon is just restarting', async () => {
    daemon.service.script = untilCancelled;
    const child = daemon.spawn(RUN);
    const result = collect(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await daemon.stop();
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await daemon.start();
    expect((await result).code).toBe(130);
    expect(firstTask()?.state.kind).toBe('cancelled');
  });

  it('leaves at once at the second Ctrl-C and says that the task is being cancelled', async () => {
    daemon.service.script = async (run) => {
      await untilCancelled(run);
      return new Promise(() => {});
    };
    const child = daemon.spawn(RUN);
    const result = collect(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGINT');
    await until(() => daemon.service.calls.some(({ name }) => name === 'cancel'));
    child.kill('SIGINT');
    const ended = await result;
    expect(ended.signal).toBe('SIGINT');
    expect(ended.stderr.toString()).toContain('is being cancelled');
  });

  it('leaves the task running when the terminal is closed', async () => {
    daemon.service.script = untilCancelled;
    const child = daemon.spawn(RUN);
    const result = collect(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGHUP');
    expect((await result).code).toBe(129);
    expect(daemon.service.calls.some(({ name }) => name === 'cancel')).toBe(false);
  });

  it('cancels quietly when nobody reads its output any more', async () => {
    daemon.service.script = async (run) => {
      while (!run.cancelled.aborted) {
        run.stdout('y\n'.repeat(5000));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return 143;
    };
    const result = await daemon.shell(
      'towline run docker://mini -- yes | head -n 1; echo "${PIPESTATUS[0]}"',
    );
    expect(result.stdout.toString()).toBe('y\n141\n');
    expect(result.stderr.toString()).toBe('');
    await until(() => firstTask()?.state.kind === 'cancelled');
  });
});

describe('stdin', () => {
  const stdinOf = (): unknown => firstTask()?.spec.stdin;
  const inline = (text: string): unknown => ({
    kind: 'content',
    base64: Buffer.from(text).toString('base64'),
  });

  it('gives a pipe or a file on stdin to the task, like any filter', async () => {
    expect((await daemon.shell('printf hello | towline run docker://mini -- cat')).code).toBe(0);
    expect(stdinOf()).toEqual(inline('hello'));
  });

  it('takes a file from where it stands', async () => {
    writeFileSync(join(daemon.directory, 'lines'), 'one\ntwo\n');
    await daemon.cli(RUN, openSync(join(daemon.directory, 'lines'), 'r'));
    expect(stdinOf()).toEqual(inline('one\ntwo\n'));
  });

  it('takes nothing from /dev/null, a socket, or with -n', async () => {
    await daemon.cli(RUN);
    expect(stdinOf()).toBeUndefined();
    const child = daemon.spawn(RUN, 'pipe');
    await collect(child);
    await daemon.shell('printf hello | towline run -n docker://mini -- cat');
    expect([...daemon.service.entries.values()].map(({ task }) => task.spec.stdin)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('passes --stdin FILE by its path and reads --stdin - from anything', async () => {
    await daemon.cli(['run', '--stdin', 'data.txt', 'docker://mini', '--', 'cat']);
    expect(stdinOf()).toEqual({ kind: 'file', path: join(daemon.directory, 'data.txt') });
  });

  it('leaves more than 1 MiB with the daemon, every byte of it', async () => {
    const bytes = randomBytes(3_000_000);
    writeFileSync(join(daemon.directory, 'big'), bytes);
    await daemon.shell('cat big | towline run docker://mini -- cat');
    const stdin = stdinOf() as { kind: string; path: string };
    expect(stdin.kind).toBe('file');
    const { readFileSync, statSync } = await import('node:fs');
    expect(sha(readFileSync(stdin.path))).toBe(sha(bytes));
    expect(statSync(stdin.path).mode & 0o777).toBe(0o600);
  });

  it('says once that it waits for the end of stdin', async () => {
    // the writer keeps its end open until the words are there
    const writer = 'i=0; until [ -s said ] || [ $i -gt 600 ]; do sleep 0.05; i=$((i + 1)); done';
    const result = await daemon.shell(
      `{ ${writer}; } | towline run docker://mini -- cat 2>said; cat said >&2`,
    );
    expect(result.stderr.toString()).toBe(
      'towline: reading stdin until its end (-n runs without it)\n',
    );
  });
});

it('prints only the id with --detach', async () => {
  daemon.service.script = () => new Promise(() => {});
  const result = await daemon.cli(['run', '--detach', 'docker://mini', '--', 'sleep', '9']);
  expect(result).toMatchObject({ code: 0, stdout: Buffer.from(`${firstTask()?.id}\n`) });
});
