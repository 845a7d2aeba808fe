/**
 * Goal: every reply of the TES routes fits the published OpenAPI file, whatever was asked for, and has nothing that a
 * strict client refuses. Method: fastify's inject, a fake engine behind it; documents made up by fast-check.
 */
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../../src/api/server.ts';
import { AppError } from '../../../../src/domain/failure.ts';
import { QUIET_LOGGER } from '../../../support/fake-daemon.ts';
import { FakeService } from '../../../support/fake-service.ts';
import { problemsWith, problemsWithMinimal } from '../../../support/tes/schema.ts';
import { until } from '../../../support/until.ts';

const BASE = '/ga4gh/tes/v1';

let service: FakeService;
let api: FastifyInstance;
beforeEach(() => {
  service = new FakeService();
  api = createApi({
    ...{ service, logger: QUIET_LOGGER, version: '1', specDefaults: () => ({}) },
    tes: () => ({ roots: ['/tmp'], organization: 'Lab', organizationUrl: 'https://lab.test/' }),
  });
});
afterEach(() => api.close());

const get = async (path: string) => {
  const answer = await api.inject(BASE + path);
  return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
};
const post = async (path: string, payload?: unknown) => {
  const answer = await api.inject({
    ...{ method: 'POST', url: BASE + path, headers: { 'content-type': 'application/json' } },
    payload: payload === undefined ? '' : JSON.stringify(payload),
  });
  return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
};

const TASK = { executors: [{ image: 'mini', command: ['true'] }] };

async function created(task: unknown): Promise<string> {
  const { status, body } = await post('/tasks', task);
  expect([status, body]).toEqual([200, { id: expect.any(String) }]);
  return String(body['id']);
}

/** At every depth. */
function holesIn(value: unknown, path = ''): string[] {
  if (value === null || value === undefined) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => holesIn(inner, `${path}.${key}`));
}

describe('service-info', () => {
  it('fits the specification and lists the backend parameters', async () => {
    const { body } = await get('/service-info');
    expect(problemsWith('tesServiceInfo', body)).toEqual([]);
    expect(body['tesResources_backend_parameters']).toContain('host');
    expect(body['organization']).toEqual({ name: 'Lab', url: 'https://lab.test/' });
    expect(body['storage']).toContain('s3://');
  });
});

describe('tasks', () => {
  const path = fc
    .array(fc.stringMatching(/^[a-z0-9 _.-]{1,8}$/), { minLength: 2, maxLength: 4 })
    .filter((parts) => parts.every((part) => part !== '.' && part !== '..'))
    .map((parts) => `/x${parts.join('/')}`);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
  const document = fc.record({
    name: maybe(fc.string()),
    description: maybe(fc.string()),
    tags: maybe(fc.dictionary(fc.string({ minLength: 1 }), maybe(fc.string()))),
    volumes: maybe(fc.array(path, { maxLength: 3 })),
    inputs: maybe(
      fc.uniqueArray(
        fc.record({
          path,
          content: fc.string({ minLength: 1 }),
          type: maybe(fc.constant('FILE')),
          url: maybe(fc.string()),
        }),
        { maxLength: 3, selector: (input) => input.path },
      ),
    ),
    outputs: maybe(
      fc.array(
        fc.record({ path, url: path.map((at) => `file:///tmp${at}`), name: maybe(fc.string()) }),
        {
          maxLength: 3,
        },
      ),
    ),
    resources: maybe(
      fc.record({
        cpu_cores: maybe(fc.integer({ min: 0, max: 64 })),
        ram_gb: maybe(fc.double({ min: 0, max: 100, noNaN: true })),
        preemptible: maybe(fc.boolean()),
        zones: maybe(fc.array(fc.string())),
        backend_parameters: maybe(fc.dictionary(fc.string(), fc.string())),
      }),
    ),
    executors: fc.array(
      fc.record({
        image: fc.constant('docker.io/library/ubuntu:20.04'),
        command: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }),
        workdir: maybe(path),
        stdout: maybe(path),
        env: maybe(fc.dictionary(fc.stringMatching(/^[A-Z]{1,5}$/), fc.string())),
        ignore_error: maybe(fc.boolean()),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  });

  it('fit the specification in every view, for whatever document was taken', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(document, async (task) => {
        const made = await post('/tasks', task);
        if (made.status !== 200) {
          // a name like __proto__ is refused before anybody reads the document
          const code = expect.stringMatching(/^(TASK|REQUEST)_INVALID$/);
          expect(made).toEqual({ status: 400, body: { error: expect.objectContaining({ code }) } });
          return;
        }
        taken += 1;
        expect(problemsWith('tesCreateTaskResponse', made.body)).toEqual([]);
        const { id } = made.body;
        await until(async () => (await get(`/tasks/${String(id)}`)).body['state'] === 'COMPLETE');
        expect(problemsWithMinimal((await get(`/tasks/${String(id)}`)).body)).toEqual([]);
        for (const view of ['BASIC', 'FULL']) {
          const { body } = await get(`/tasks/${String(id)}?view=${view}`);
          expect([problemsWith('tesTask', body), holesIn(body)]).toEqual([[], []]);
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
    expect(taken).toBeGreaterThan(20);
    const { body } = await get('/tasks?view=FULL');
    expect(problemsWith('tesListTasksResponse', body)).toEqual([]);
  });

  it('leave out of BASIC what only FULL has', async () => {
    service.script = ({ stdout }) => {
      stdout('hello\n');
      return 3;
    };
    const inputs = [{ path: '/in/a', content: 'text' }];
    const id = await created({ ...TASK, inputs, tags: { a: '', b: null } });
    await until(async () => (await get(`/tasks/${id}`)).body['state'] === 'EXECUTOR_ERROR');
    const basic = (await get(`/tasks/${id}?view=BASIC`)).body;
    expect(basic).toMatchObject({
      inputs: [{ path: '/in/a', type: 'FILE' }],
      tags: { a: '' },
      logs: [{ logs: [{ exit_code: 3 }], outputs: [] }],
    });
    expect(JSON.stringify(basic)).not.toMatch(/hello|text|system_logs/);
    const full = (await get(`/tasks/${id}?view=FULL`)).body;
    expect(full).toMatchObject({
      inputs: [{ content: 'text' }],
      logs: [{ logs: [{ exit_code: 3, stdout: 'hello\n' }], system_logs: expect.anything() }],
    });
  });

  it('are refused where a list is asked for in a way that the specification does not have', async () => {
    for (const query of [
      'page_size=0',
      'page_size=2048',
      'view=LITTLE',
      'state=DONE',
      'tag_value=x',
    ]) {
      expect([query, (await get(`/tasks?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await get('/tasks?page_size=2047&page_token=')).body).toEqual({ tasks: [] });
  });

  it('zips keys and values of tags by position; an empty value matches any', async () => {
    await get('/tasks?tag_key=a&tag_value=1&tag_key=b&tag_value=&tag_key=c');
    const { args } = service.calls.findLast(({ name }) => name === 'documents') ?? { args: [] };
    expect(args[0]).toMatchObject({
      tags: [
        { key: 'a', value: '1' },
        { key: 'b', value: undefined },
        { key: 'c', value: undefined },
      ],
    });
  });

  it('are cancelled with any body or none, also when they have ended', async () => {
    const id = await created(TASK);
    await until(async () => (await get(`/tasks/${id}`)).body['state'] === 'COMPLETE');
    for (const body of [undefined, null, {}]) {
      expect(await post(`/tasks/${id}:cancel`, body)).toEqual({ status: 200, body: {} });
    }
    expect((await post('/tasks/none:cancel')).status).toBe(404);
    expect((await post(`/tasks/${id}:stop`)).status).toBe(404);
    expect((await get('/tasks/none')).status).toBe(404);
  });
});

describe('what is asked for', () => {
  const specOf = () => service.calls.findLast(({ name }) => name === 'submit')?.args[0] as object[];

  it('an unknown backend parameter is left out with a warning, or refused where it is strict', async () => {
    const resources = { backend_parameters: { Host: 'vm', VmSize: 'big' } };
    const id = await created({ ...TASK, resources });
    const full = (await get(`/tasks/${id}?view=FULL`)).body;
    expect(full).toMatchObject({
      resources: { backend_parameters: { Host: 'vm' } },
      logs: [{ system_logs: [expect.stringContaining('VmSize')] }],
    });
    expect(specOf()[0]).toMatchObject({ host: 'vm' });
    const strict = { ...resources, backend_parameters_strict: true };
    expect((await post('/tasks', { ...TASK, resources: strict })).status).toBe(400);
  });

  it('resources become what hosts are chosen by, and what Slurm is asked for', async () => {
    const backend_parameters = {
      partition: 'long',
      walltime: '1-02:00:00',
      gpus: '2',
      tags: 'a100',
    };
    await created({ ...TASK, resources: { cpu_cores: 4, ram_gb: 1.5, backend_parameters } });
    expect(specOf()[0]).toMatchObject({
      cpus: 4,
      memoryBytes: 1_500_000_000,
      gpus: 2,
      timeLimitMs: 26 * 3_600_000,
      slurm: { partition: 'long' },
      require: ['a100'],
    });
  });

  it('files outside the roots, or reached by a link out of them, are refused', async () => {
    const inputs = (url: string) => ({ ...TASK, inputs: [{ url, path: '/x/a' }] });
    expect((await post('/tasks', inputs('file:///etc/passwd'))).status).toBe(400);
    expect((await post('/tasks', inputs('/tmp/../etc/passwd'))).status).toBe(400);
    const outputs = [{ url: '/etc/cron.d/x', path: '/x/a' }];
    expect((await post('/tasks', { ...TASK, outputs })).status).toBe(400);
  });

  it('a file that would hide a directory of the image is refused with the way out', async () => {
    const outputs = [{ url: '/tmp/x', path: '/usr/x' }];
    const { status, body } = await post('/tasks', { ...TASK, outputs });
    expect([status, JSON.stringify(body)]).toEqual([
      400,
      expect.stringContaining('write below another'),
    ]);
  });

  it('a host that is not there is a fault of the document', async () => {
    service.submit = async () => {
      throw new AppError('HOST_UNKNOWN', 'no host nonesuch');
    };
    expect((await post('/tasks', TASK)).status).toBe(400);
  });
});
