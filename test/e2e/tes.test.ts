/**
 * Goal: a client of GA4GH TES has its containers run on a host that has nothing but sshd and Apptainer. Method: requests
 * on the daemon's socket, the built daemon, the bed's real host; files by their addresses on this machine.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type TesClient, tesClient } from '../support/tes/client.ts';

const IMAGE = 'registry:5000/mini:1';

let daemon: TestDaemon;
let tes: TesClient;
let files: string;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
  tes = tesClient({ socketPath: daemon.socket });
  files = join(daemon.dir, 'files');
  mkdirSync(files);
});

afterAll(() => daemon[Symbol.asyncDispose]());

const sh = (script: string, more: object = {}) => ({
  image: IMAGE,
  command: ['sh', '-c', script],
  ...more,
});

test('a command, inputs at paths that the image does not have, outputs where the addresses say', async () => {
  writeFileSync(join(files, 'in put%20.txt'), 'from a file\n');
  const id = await tes.create({
    name: 'first',
    inputs: [
      { url: `file://${files}/in put%20.txt`, path: '/data/in/a.txt' },
      { content: 'from content\n', path: '/data/out/b.txt' },
    ],
    outputs: [
      { url: `${files}/result.txt`, path: '/data/out/result.txt', type: 'FILE' },
      { url: `file://${files}/tree/`, path: '/data/out/tree', type: 'DIRECTORY' },
      { url: `file://${files}/globbed`, path: '/data/out/*.log', path_prefix: '/data' },
    ],
    executors: [
      sh(
        'cat /data/in/a.txt b.txt; mkdir tree; echo deep >tree/x; echo l >1.log; echo own >>b.txt; echo "$HOME $V" >&2',
        {
          workdir: '/data/out',
          stdout: '/data/out/result.txt',
          env: { V: 'v"$x', HOME: '/data/home' },
        },
      ),
    ],
    tags: { a: 'b' },
  });
  const task = await tes.ended(id);
  expect(task.logs?.[0]?.system_logs).toEqual([]);
  expect(task).toMatchObject({
    id,
    state: 'COMPLETE',
    name: 'first',
    tags: { a: 'b' },
    logs: [{ logs: [{ exit_code: 0, stderr: '/data/home v"$x\n' }] }],
  });
  expect(readFileSync(join(files, 'result.txt'), 'utf8')).toBe('from a file\nfrom content\n');
  expect(readFileSync(join(files, 'tree/x'), 'utf8')).toBe('deep\n');
  expect(readdirSync(join(files, 'globbed/out'))).toEqual(['1.log']);
  expect(task.logs?.[0]?.logs[0]?.stdout).toBe('from a file\nfrom content\n');
  expect(task.logs?.[0]?.outputs).toContainEqual({
    url: `file://${files}/globbed/out/1.log`,
    path: '/data/out/1.log',
    size_bytes: '2',
  });
});

test('a code of the command is EXECUTOR_ERROR, and outputs that are there come back', async () => {
  const id = await tes.create({
    outputs: [{ url: `${files}/partial`, path: '/w/partial' }],
    executors: [sh('echo some >partial; echo why >&2; exit 3', { workdir: '/w' })],
  });
  const task = await tes.ended(id);
  expect(task).toMatchObject({
    state: 'EXECUTOR_ERROR',
    logs: [{ logs: [{ exit_code: 3, stderr: 'why\n' }] }],
  });
  expect(readFileSync(join(files, 'partial'), 'utf8')).toBe('some\n');
  expect(task.logs?.[0]?.system_logs?.[0]).toContain('TASK_EXIT_CODE');
});

test('an input of a storage that cannot be reached is taken, and ends as SYSTEM_ERROR with STORAGE_UNSUPPORTED', async () => {
  const id = await tes.create({
    inputs: [{ url: 'gopher://somewhere/x', path: '/data/x' }],
    executors: [sh('true')],
  });
  const task = await tes.ended(id);
  expect(task.state).toBe('SYSTEM_ERROR');
  expect(task.logs?.[0]?.system_logs?.[0]).toContain('STORAGE_UNSUPPORTED');
});

test('what is not there, or has ended, is told as the specification would have it', async () => {
  expect((await tes.call('GET', '/tasks/nonesuch')).status).toBe(404);
  expect((await tes.call('POST', '/tasks/nonesuch:cancel')).status).toBe(404);
  const id = await tes.create({ executors: [sh('true')] });
  await tes.ended(id);
  for (const body of [undefined, null, {}]) {
    expect(await tes.call('POST', `/tasks/${id}:cancel`, body)).toEqual({ status: 200, body: {} });
  }
  expect(await tes.get(id, 'MINIMAL')).toEqual({ id, state: 'COMPLETE' });
  const strict = {
    resources: { backend_parameters: { nonesuch: '1' }, backend_parameters_strict: true },
    executors: [sh('true')],
  };
  expect((await tes.call('POST', '/tasks', strict)).status).toBe(400);
});

test('executors run in order in one attempt and share what they write; an error that is ignored ends nothing', async () => {
  const workdir = '/shared/w';
  const id = await tes.create({
    volumes: ['/shared'],
    executors: [
      sh('echo one >f; echo first; sleep 0.2', { workdir }),
      sh('cat f; echo second >&2; exit 7', { workdir, ignore_error: true }),
      {
        image: IMAGE,
        command: ['cat', '/shared/w/f'],
        stdin: '/shared/w/f',
        stdout: '/shared/out/g',
      },
      sh('cat /shared/out/g; exit 4'),
      sh('echo never'),
    ],
  });
  const task = await tes.ended(id);
  expect(task).toMatchObject({
    state: 'EXECUTOR_ERROR',
    logs: [
      {
        logs: [
          { exit_code: 0, stdout: 'first\n' },
          { exit_code: 7, stdout: 'one\n', stderr: 'second\n' },
          { exit_code: 0, stdout: 'one\n' },
          { exit_code: 4, stdout: 'one\n' },
        ],
      },
    ],
  });
  expect(task.logs?.[0]?.logs).toHaveLength(4);
});
