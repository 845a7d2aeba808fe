/**
 * Goal: what each route takes, gives and refuses. Method: fastify's inject, a fake engine behind it.
 */
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { AppError } from '../../../src/domain/failure.ts';
import * as views from '../../../src/protocol/views.ts';
import { QUIET_LOGGER } from '../../support/fake-daemon.ts';
import { FakeService } from '../../support/fake-service.ts';
import { readMetrics } from '../../support/read-metrics.ts';

let service: FakeService;
let api: FastifyInstance;
beforeEach(() => {
  service = new FakeService();
  api = createApi({ service, logger: QUIET_LOGGER, version: '1.2.3', specDefaults: () => ({}) });
});
afterEach(() => api.close());

const task = { image: 'docker://mini', command: ['true'], name: 'one' };
const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
  api.inject({ method: 'POST', url, payload: payload as object, headers });
const codeOf = (response: { json: () => unknown }): string =>
  (response.json() as views.ErrorView).error.code;

async function submitOne(): Promise<string> {
  const answer = (await post('/v1/tasks', task)).json() as views.SubmitView;
  return answer.tasks[0]?.id ?? '';
}

describe('submit', () => {
  it('takes one task and gives a view that fits its schema', async () => {
    const response = await post('/v1/tasks', task);
    expect(response.statusCode).toBe(201);
    expect(views.submitView.strict().parse(response.json()).tasks).toHaveLength(1);
  });

  it('takes an array and NDJSON', async () => {
    expect((await post('/v1/tasks', [task, task])).json()).toMatchObject({ tasks: [{}, {}] });
    const lines = `${JSON.stringify(task)}\n\n${JSON.stringify(task)}\n`;
    const response = await api.inject({
      method: 'POST',
      url: '/v1/tasks',
      payload: lines,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(response.json()).toMatchObject({ tasks: [{}, {}] });
  });

  it('gives the same tasks for the same key, and refuses another content', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const first = await post('/v1/tasks', task, headers);
    const second = await post('/v1/tasks', task, headers);
    expect(second.statusCode).toBe(200);
    expect((second.json() as views.SubmitView).tasks[0]?.id).toBe(
      (first.json() as views.SubmitView).tasks[0]?.id,
    );
    const third = await post('/v1/tasks', { ...task, name: 'two' }, headers);
    expect([third.statusCode, codeOf(third)]).toEqual([409, 'TASK_IDEMPOTENCY_CONFLICT']);
  });

  it('names the field of the task that does not fit, and takes none', async () => {
    const response = await post('/v1/tasks', [task, { ...task, env: { 'A B': '' } }]);
    expect(response.statusCode).toBe(400);
    expect((response.json() as views.ErrorView).error.message).toContain('tasks[1].env."A B"');
    expect(service.entries.size).toBe(0);
  });

  it('sees that an input is a directory', async () => {
    await post('/v1/tasks', { ...task, inputs: ['/tmp:t'] });
    expect([...service.entries.values()][0]?.task.spec.inputs[0]?.source).toEqual({
      kind: 'directory',
      path: '/tmp',
    });
  });

  it.each([
    ['text/plain', '{}'],
    ['application/json', '{"a":'],
    ['application/json', '{"__proto__":{}}'],
    ['application/x-ndjson', '{"a":1}\n{'],
    ['application/json', '[]'],
  ])('refuses a body of %s %s', async (type, payload) => {
    const response = await api.inject({
      method: 'POST',
      url: '/v1/tasks',
      payload,
      headers: { 'content-type': type },
    });
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.statusCode).toBeLessThan(500);
    expect(codeOf(response)).toMatch(/REQUEST_INVALID|TASK_INVALID/);
  });

  it.each(['http://localhost', 'null'])(
    'refuses what a page of origin %s sends',
    async (origin) => {
      for (const method of ['GET', 'OPTIONS'] as const) {
        const response = await api.inject({ method, url: '/v1/tasks', headers: { origin } });
        expect(response.statusCode).toBeGreaterThanOrEqual(400);
        expect(response.headers).not.toHaveProperty('access-control-allow-origin');
      }
    },
  );

  it('refuses a body that is too large, and more than 10 000 tasks', async () => {
    const large = await post('/v1/tasks', { ...task, command: 'x'.repeat(17 * 1024 * 1024) });
    expect([large.statusCode, codeOf(large)]).toEqual([413, 'REQUEST_INVALID']);
    const many = await post(
      '/v1/tasks',
      Array.from({ length: 10_001 }, () => 1),
    );
    expect([many.statusCode, codeOf(many)]).toEqual([400, 'REQUEST_INVALID']);
  });
});

describe('tasks', () => {
  it('lists pages and refuses what is no state', async () => {
    await post('/v1/tasks', [task, task, task]);
    const page = (await api.inject('/v1/tasks?limit=2')).json() as views.TaskListView;
    expect([page.tasks.length, page.cursor]).toEqual([2, '2']);
    const bad = await api.inject('/v1/tasks?state=runing');
    expect([bad.statusCode, codeOf(bad)]).toEqual([400, 'REQUEST_INVALID']);
    expect((await api.inject('/v1/tasks?stat=running')).statusCode).toBe(400);
    expect((await api.inject('/v1/tasks?limit=0')).statusCode).toBe(400);
  });

  it('waits for the end of a task', async () => {
    const goOn = Promise.withResolvers<void>();
    service.script = async () => {
      await goOn.promise;
      return 5;
    };
    const id = await submitOne();
    const soon = (await api.inject(`/v1/tasks/${id}?wait=0.05`)).json() as views.TaskView;
    expect(soon.ended).toBe(false);
    const waiting = api.inject(`/v1/tasks/${id}?wait=20`);
    goOn.resolve();
    expect((await waiting).json()).toMatchObject({
      state: 'failed',
      exitCode: 5,
      failure: { code: 'TASK_EXIT_CODE' },
    });
  });

  it('gives the bytes of a stream from an offset', async () => {
    service.script = (run) => {
      run.stdout(Buffer.from([0, 255, 10, 13, 128]));
      return 0;
    };
    const id = await submitOne();
    const response = await api.inject(`/v1/tasks/${id}/logs/stdout?offset=1&follow=true`);
    expect(response.headers['content-type']).toBe('application/octet-stream');
    expect([...response.rawPayload]).toEqual([255, 10, 13, 128]);
    expect((await api.inject(`/v1/tasks/${id}/logs/stdin`)).statusCode).toBe(400);
    expect((await api.inject('/v1/tasks/zzz/logs/stdout')).statusCode).toBe(404);
    expect((await api.inject(`/v1/tasks/${id}/logs/stdout?offset=-1`)).statusCode).toBe(400);
  });

  it('cancels, and says when a task is not in the state for it', async () => {
    const id = await submitOne();
    const response = await post(`/v1/tasks/${id}/release`, undefined);
    expect([response.statusCode, codeOf(response)]).toEqual([409, 'TASK_WRONG_STATE']);
  });

  it('tells events as lines with ISO times', async () => {
    const id = await submitOne();
    const response = await api.inject(`/v1/events?since=0&task=${id.slice(0, 6)}`);
    const lines = response.payload
      .trim()
      .split('\n')
      .map((line) => views.eventView.parse(JSON.parse(line)));
    expect(lines[0]).toMatchObject({ type: 'event', kind: 'submitted', task: id });
  });

  it('lists files only below the work directory', async () => {
    const id = await submitOne();
    expect((await api.inject(`/v1/tasks/${id}/files?path=out`)).json()).toMatchObject({
      files: [{ name: 'result.txt' }],
    });
    for (const path of ['/etc', '../x', 'a/../../b']) {
      expect(
        (await api.inject(`/v1/tasks/${id}/files?path=${encodeURIComponent(path)}`)).statusCode,
      ).toBe(400);
    }
  });
});

describe('hosts, images and the rest', () => {
  it('gives hosts and images', async () => {
    expect(views.hostListView.parse((await api.inject('/v1/hosts')).json()).hosts).toHaveLength(1);
    expect((await api.inject('/v1/hosts/nope')).statusCode).toBe(404);
    expect((await api.inject('/v1/hosts/vm?probe=true')).json()).toMatchObject({
      link: { since: '1970-01-01T00:00:00.000Z' },
    });
    expect(
      views.imageListView.parse((await api.inject('/v1/hosts/vm/images')).json()).images,
    ).toHaveLength(1);
    expect((await post('/v1/hosts/vm/images', { reference: 'docker://b' })).json()).toMatchObject({
      bytes: 4096,
    });
    const gone = await api.inject({
      method: 'DELETE',
      url: '/v1/hosts/vm/images?reference=docker%3A%2F%2Fa',
    });
    expect(gone.statusCode).toBe(200);
  });

  it('logs in step by step, and says nothing of the answers', async () => {
    const prompts = [{ prompt: 'Code: ', echo: false }];
    const question = { host: 'bastion', name: 'n', instruction: 'i', prompts };
    service.loginSteps.unshift({ done: false, session: 's1', question });
    const asked = views.loginView.parse((await post('/v1/hosts/vm/login', {})).json());
    expect(asked).toEqual({
      done: false,
      session: 's1',
      asking: 'bastion',
      name: 'n',
      instruction: 'i',
      prompts,
    });
    const answered = await post('/v1/hosts/vm/login', { session: 's1', answers: ['sesame'] });
    expect(views.loginView.parse(answered.json())).toMatchObject({ done: true });
    for (const answers of [['sesame'.repeat(1000)], 'sesame', { sesame: 1 }]) {
      const refused = await post('/v1/hosts/vm/login', { session: 's1', answers });
      expect([refused.statusCode, codeOf(refused)]).toEqual([400, 'REQUEST_INVALID']);
      expect(refused.body).not.toContain('sesame');
    }
  });

  it('answers 502 when the far side is at fault', async () => {
    const response = await post('/v1/hosts/vm/images', { reference: 'docker://unknown' });
    expect([response.statusCode, codeOf(response)]).toEqual([502, 'IMAGE_MANIFEST_UNKNOWN']);
  });

  it('gives health, metrics, plan, gc and its own description', async () => {
    expect((await api.inject('/healthz')).json()).toMatchObject({
      status: 'ok',
      version: '1.2.3',
      pid: process.pid,
      uptimeSeconds: expect.any(Number),
      readOnly: false,
      store: { ok: true },
    });
    const metrics = (await api.inject('/metrics')).payload;
    expect(readMetrics(metrics).get('towline_tasks{state="running"}')).toBe(1);
    service.healthReport = { readOnly: true, storeFailure: 'gone' };
    const failing = await api.inject('/healthz');
    expect(failing.statusCode).toBe(503);
    expect(views.healthView.parse(failing.json())).toMatchObject({
      status: 'failing',
      readOnly: true,
      store: { ok: false, message: 'gone' },
    });
    expect((await post('/v1/plan', task)).json()).toMatchObject({ host: 'vm', files: {} });
    expect((await post('/v1/gc', { dryRun: true })).json()).toMatchObject({
      cleaned: [],
      dryRun: true,
    });
    expect((await post('/v1/gc', { older: 1 })).statusCode).toBe(400);
    expect((await api.inject('/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
  });

  it('refuses requests of web pages, unknown routes and methods', async () => {
    const page = await api.inject({ url: '/v1/tasks', headers: { origin: 'http://evil.example' } });
    expect([page.statusCode, codeOf(page)]).toEqual([400, 'REQUEST_INVALID']);
    expect(codeOf(await api.inject('/v2/tasks'))).toBe('ROUTE_NOT_FOUND');
    expect((await api.inject({ method: 'PUT', url: '/v1/tasks' })).statusCode).toBe(404);
    expect(codeOf(await api.inject({ method: 'POST', url: '/v1/uploads' }))).toBe(
      'REQUEST_INVALID',
    );
  });

  it('answers a bug with INTERNAL and logs it', async () => {
    service.list = () => Promise.reject(new TypeError('oops'));
    const response = await api.inject('/v1/tasks');
    expect([response.statusCode, codeOf(response)]).toEqual([500, 'INTERNAL']);
    service.list = () => Promise.reject(new AppError('DAEMON_STOPPING', 'stopping'));
    expect((await api.inject('/v1/tasks')).statusCode).toBe(503);
  });
});
