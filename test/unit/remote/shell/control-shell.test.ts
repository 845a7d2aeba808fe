/** Batches and deadlines of the control shell over a port played by the test, the clock turned by hand. */
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { newCounters } from '../../../../src/remote/counters.ts';
import { ControlShell, type ShellPort } from '../../../../src/remote/shell/control-shell.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

class FakePort implements ShellPort {
  writes: string[] = [];
  abandoned = false;
  #data: (chunk: Buffer) => void = () => {};
  #end: () => void = () => {};
  write(text: string): void {
    this.writes.push(text);
  }
  abandon(): void {
    this.abandoned = true;
  }
  onData(listener: (chunk: Buffer) => void): void {
    this.#data = listener;
  }
  onEnd(listener: () => void): void {
    this.#end = listener;
  }
  /** Answers the commands of the last write, `count` of them. */
  answer(count = Number.POSITIVE_INFINITY): void {
    const nonces = [...(this.writes.at(-1) ?? '').matchAll(/begin\\n' (\w+)/g)].map(
      (match) => match[1],
    );
    for (const nonce of nonces.slice(0, count))
      this.#data(Buffer.from(`${nonce} begin\nok\n${nonce} end 0\n`));
  }
  say(text: string): void {
    this.#data(Buffer.from(text));
  }
  end(): void {
    this.#end();
  }
}

function scene() {
  const clock = turnedClock();
  const ports: FakePort[] = [];
  const counters = newCounters();
  const shell = new ControlShell({
    clock,
    counters,
    context: { host: 'vm' },
    open: async () => {
      const port = new FakePort();
      ports.push(port);
      return port;
    },
  });
  const run = (purpose: string, deadlineMs = 1_000): Promise<string> =>
    shell.run(purpose, { purpose, deadlineMs }).then(
      (result) => result.output,
      (error: AppError) => error.code,
    );
  return { clock, ports, counters, shell, run };
}

it('writes what comes together at once, and what comes meanwhile as the next batch', async () => {
  const { clock, ports, counters, run } = scene();
  const first = [run('a'), run('b')];
  await clock.turn(0);
  const second = [run('c'), run('d'), run('e')];
  await clock.turn(0);
  expect(ports[0]?.writes.length).toBe(1);
  ports[0]?.answer();
  expect(await Promise.all(first)).toEqual(['ok', 'ok']);
  expect(ports[0]?.writes.length).toBe(2);
  ports[0]?.answer();
  expect(await Promise.all(second)).toEqual(['ok', 'ok', 'ok']);
  expect(counters).toMatchObject({ shellBatches: 2, shellCommands: 5 });
});

it('a deadline costs the shell and what was written to it; the rest goes to a new shell', async () => {
  const { clock, ports, run } = scene();
  const written = [run('done'), run('stuck'), run('behind', 5_000)];
  await clock.turn(0);
  const waiting = run('waiting', 5_000);
  ports[0]?.answer(1);
  await clock.turn(1_000);
  expect(await Promise.all(written)).toEqual([
    'ok',
    'HOST_COMMAND_TIMEOUT',
    'HOST_COMMAND_TIMEOUT',
  ]);
  expect(ports[0]?.abandoned).toBe(true);
  expect(ports.length).toBe(2);
  ports[0]?.answer();
  ports[1]?.answer();
  expect(await waiting).toBe('ok');
});

it('what was not yet written times out without costing the shell', async () => {
  const { clock, ports, run } = scene();
  const long = run('long', 60_000);
  await clock.turn(0);
  const short = run('short', 100);
  await clock.turn(100);
  expect(await short).toBe('HOST_COMMAND_TIMEOUT');
  expect(ports[0]?.abandoned).toBe(false);
  ports[0]?.answer();
  expect(await long).toBe('ok');
  expect(ports[0]?.writes.length).toBe(1);
});

it('an aborted command that hangs still costs the shell at its deadline', async () => {
  const { clock, ports, shell, run } = scene();
  const stop = new AbortController();
  const aborted = shell.run('x', { purpose: 'x', deadlineMs: 1_000, signal: stop.signal });
  await clock.turn(0);
  stop.abort();
  await expect(aborted).rejects.toMatchObject({ code: 'HOST_CALL_ABORTED' });
  const next = run('next', 60_000);
  await clock.turn(1_000);
  ports[1]?.answer();
  expect(await next).toBe('ok');
});

it('a shell that ends rejects what was written and is replaced for the rest', async () => {
  const { clock, ports, run } = scene();
  const first = run('first');
  await clock.turn(0);
  ports[0]?.answer();
  await first;
  const killed = run('killed');
  await clock.turn(0);
  const next = run('next');
  ports[0]?.end();
  expect(await killed).toBe('SSH_CONNECTION_LOST');
  await clock.turn(0);
  ports[1]?.answer();
  expect(await next).toBe('ok');
});

it('a shell that never answers is quoted', async () => {
  const { clock, ports, shell } = scene();
  const work = shell.run('x', { purpose: 'hello', deadlineMs: 1_000 });
  await clock.turn(0);
  ports[0]?.say('No shell for you\n');
  ports[0]?.end();
  await expect(work).rejects.toMatchObject({
    code: 'HOST_REPLY_INVALID',
    message: expect.stringContaining('No shell for you'),
  });
});

it('leaves no timer behind', async () => {
  const { clock, ports, shell, run } = scene();
  const done = run('done');
  await clock.turn(0);
  ports[0]?.answer();
  await done;
  const pending = [run('a'), run('b')];
  shell.end(new AppError('SSH_CONNECTION_LOST', 'gone'));
  expect(await Promise.all(pending)).toEqual(['SSH_CONNECTION_LOST', 'SSH_CONNECTION_LOST']);
  expect(await run('late')).toBe('SSH_CONNECTION_LOST');
  expect(clock.waiting()).toBe(0);
});
