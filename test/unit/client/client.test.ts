/**
 * Goal: the client gives views and AppErrors, and lives through a restart of the daemon. Method: the
 * real API on a real socket, a fake engine behind it.
 */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, createClient } from '../../../src/client/client.ts';
import { FakeDaemon } from '../../support/fake-daemon.ts';
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
const submit = async (): Promise<string> => (await client.submit([task])).tasks[0]?.id ?? '';

it('submits, waits and gives the view', async () => {
  expect(await client.wait(await submit())).toMatchObject({ state: 'succeeded', exitCode: 0 });
});

it('brings the errors of the daemon back with their context and hint', async () => {
  await expect(client.get('nope')).rejects.toMatchObject({
    code: 'TASK_NOT_FOUND',
    context: { task: 'nope' },
    hint: 'see the ids: towline list',
  });
  await expect(client.submit([{ ...task, time: 'x' }])).rejects.toMatchObject({
    code: 'TASK_INVALID',
  });
});

it('refuses by itself what the daemon would not read to its end', async () => {
  const large = { ...task, command: ['x'.repeat(17 * 1024 * 1024)] };
  await expect(client.submit([large])).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

it('uploads more than a request body may have', async () => {
  const bytes = Buffer.alloc(20_000_000, 1);
  expect(await client.upload(Readable.from([bytes]))).toMatchObject({ bytes: bytes.length });
});

it('says which socket no daemon answers on', async () => {
  await daemon.stop();
  await expect(client.health()).rejects.toMatchObject({
    code: 'DAEMON_NOT_RUNNING',
    message: expect.stringContaining(daemon.socketPath) as unknown,
  });
  await expect(client.wait('x')).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
  await expect(client.logs('x', 'stdout').next()).rejects.toMatchObject({
    code: 'DAEMON_NOT_RUNNING',
  });
});

it('uses a kept connection again after the daemon closed it', async () => {
  expect((await client.health()).status).toBe('ok');
  await daemon.stop();
  await daemon.start();
  expect((await client.health()).status).toBe('ok');
  expect((await client.submit([task])).created).toBe(true);
});

it('goes on with bytes, events and waits across restarts, and tells of it', async () => {
  const goOn = Promise.withResolvers<void>();
  daemon.service.script = async (run) => {
    run.stdout('one ');
    await goOn.promise;
    run.stdout('two');
    return 0;
  };
  const id = await submit();
  const told: string[] = [];
  const bytes: Buffer[] = [];
  const events: number[] = [];
  const reading = (async () => {
    const options = { follow: true, onReconnect: (state: string) => void told.push(state) };
    for await (const chunk of client.logs(id, 'stdout', options)) bytes.push(chunk);
  })();
  const stop = new AbortController();
  const hearing = (async () => {
    for await (const event of client.events({ follow: true, task: id, signal: stop.signal })) {
      if (event.type === 'event') events.push(event.seq);
    }
  })();
  const waiting = client.wait(id);
  for (let restart = 0; restart < 2; restart += 1) {
    await until(() => bytes.length > 0 && events.length > 0);
    await daemon.stop();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await daemon.start();
    await until(() => told.length === 2 * (restart + 1));
  }
  goOn.resolve();
  await reading;
  expect(Buffer.concat(bytes).toString()).toBe('one two');
  expect(told).toEqual(['lost', 'back', 'lost', 'back']);
  expect((await waiting).state).toBe('succeeded');
  await until(() => events.length === daemon.service.eventList.length);
  stop.abort();
  await hearing;
  expect(events).toEqual(daemon.service.eventList.map(({ seq }) => seq));
});

it('does not go on in a later attempt when it comes back', async () => {
  const goOn = Promise.withResolvers<void>();
  daemon.service.script = async ({ attempt, stdout }) => {
    stdout(`${'abcdef'.repeat(attempt)}`);
    if (attempt === 2) return new Promise(() => {});
    await goOn.promise;
    return 'retry';
  };
  const id = await submit();
  const seen: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of client.logs(id, 'stdout', { follow: true })) seen.push(chunk);
  })();
  await until(() => seen.length > 0);
  await daemon.stop();
  goOn.resolve();
  await until(async () => (await daemon.service.get(id)).task.state.attempt === 2);
  await daemon.start();
  await reading;
  expect(Buffer.concat(seen).toString()).toBe('abcdef');
});

it('gives up after its patience', async () => {
  daemon.service.script = () => new Promise(() => {});
  const id = await submit();
  const reading = client.wait(id, { reconnectForMs: 100 });
  reading.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await daemon.stop();
  await expect(reading).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
});

it('follows many streams at once and stops when its signal aborts', async () => {
  daemon.service.script = () => new Promise(() => {});
  const id = await submit();
  const stop = new AbortController();
  const follows = Array.from({ length: 50 }, async () => {
    for await (const _ of client.logs(id, 'stdout', { follow: true, signal: stop.signal }));
  });
  await until(() => daemon.service.calls.filter(({ name }) => name === 'logs').length === 50);
  expect((await client.health()).status).toBe('ok');
  stop.abort();
  await Promise.all(follows);
});

it('waits for a daemon that has too much to do, once it has answered', async () => {
  const path = `${daemon.directory}/busy.sock`;
  const error = { code: 'DAEMON_BUSY', message: '500 streams are followed' };
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(asked < 3 ? 429 : 200).end(asked < 3 ? JSON.stringify({ error }) : 'bytes');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const busy = createClient({ socketPath: path });
  const read = async (hasAnswered: boolean): Promise<string> => {
    let text = '';
    const logs = busy.logs('x', 'stdout', { attempt: 1, hasAnswered });
    for await (const chunk of logs) text += chunk.toString();
    return text;
  };
  await expect(read(false)).rejects.toMatchObject({ code: 'DAEMON_BUSY' });
  expect(await read(true)).toBe('bytes');
  busy.close();
  server.close();
});

it('does not take a cut stream for a complete one', async () => {
  const path = `${daemon.directory}/cut.sock`;
  const server = createServer((request, response) => {
    response.writeHead(200);
    const rest = request.url?.includes('offset=0') === true ? 'half' : '';
    response.flushHeaders();
    response.write(rest, () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = createClient({ socketPath: path });
  const read = async (): Promise<void> => {
    for await (const _ of cut.logs('x', 'stdout', { attempt: 1, reconnectForMs: 200 }));
  };
  await expect(read()).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
  cut.close();
  server.close();
});
