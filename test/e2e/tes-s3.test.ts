/**
 * Goal: a TES task has its files from S3 and puts its outputs there, and its host knows nothing of either. Method: the
 * built daemon, the bed's real host, a real S3 server of others' making; what that has is looked at on its own disk.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { S3_KEYS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { type TesClient, tesClient } from '../support/tes/client.ts';
import { until } from '../support/until.ts';

const directory = mkdtempSync(join(tmpdir(), 'towline-tes-s3-'));
const credentials = join(directory, 'credentials');
let s3: S3Server;
let daemon: TestDaemon;
let tes: TesClient;

beforeAll(async () => {
  s3 = await startS3Server();
  writeKeys(S3_KEYS.secretAccessKey);
  const lines = [`endpoint = ${s3.endpoint}`, `credentials = ${credentials}`, 'profile = lab'];
  daemon = makeDaemon({ more: ['[s3]', ...lines, ''].join('\n') });
  await daemon.start();
  tes = tesClient({ socketPath: daemon.socket });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function writeKeys(secret: string): void {
  const keys = `aws_access_key_id = ${S3_KEYS.accessKeyId}\naws_secret_access_key = ${secret}\n`;
  writeFileSync(credentials, `[lab]\n${keys}`, { mode: 0o600 });
}

const sh = (script: string, more: object = {}) => ({
  ...{ image: 'registry:5000/mini:1', command: ['sh', '-c', script] },
  ...more,
});

/** Nothing of a task that has ended is on this machine. */
const left = (): string[] => readdirSync(join(daemon.stateDir, 'uploads'));

test('files and directories come from S3, and files, wildcards and directories go there', async () => {
  await s3.put('in/a file.txt', 'from s3\n');
  await s3.put('tree/one', '1\n');
  await s3.put('tree/deep/two', '2\n');
  const id = await tes.create({
    inputs: [
      { url: 's3://data/in/a file.txt', path: '/data/a.txt' },
      { url: 's3://data/tree/', path: '/data/tree', type: 'DIRECTORY' },
    ],
    outputs: [
      { url: 's3://data/out/result ü.txt', path: '/w/result.txt' },
      { url: 's3://data/out/globbed', path: '/w/*.log', path_prefix: '/w' },
      { url: 's3://data/out/made/', path: '/w/made', type: 'DIRECTORY' },
    ],
    executors: [
      sh(
        'cat /data/a.txt /data/tree/one /data/tree/deep/two >result.txt; mkdir -p made/d; echo x >made/d/x; echo l >1.log',
        { workdir: '/w' },
      ),
    ],
  });
  const task = await tes.ended(id);
  const [log] = task.logs ?? [];
  expect([task.state, log?.system_logs]).toEqual(['COMPLETE', []]);
  expect(s3.keys('out/')).toEqual(['out/globbed/1.log', 'out/made/d/x', 'out/result ü.txt']);
  expect(s3.object('out/result ü.txt')?.toString()).toBe('from s3\n1\n2\n');
  expect(s3.object('out/made/d/x')?.toString()).toBe('x\n');
  expect(log?.outputs).toEqual([
    { url: 's3://data/out/result ü.txt', path: '/w/result.txt', size_bytes: '12' },
    { url: 's3://data/out/globbed/1.log', path: '/w/1.log', size_bytes: '2' },
    { url: 's3://data/out/made/d/x', path: '/w/made/d/x', size_bytes: '2' },
  ]);
  const { outputs } = await daemon.show(id);
  expect(outputs[1]?.local).toBe('s3://data/out/globbed/1.log');
  expect((await daemon.cli('show', id)).stdout).toContain('s3://data/out/globbed/1.log');
  expect(left()).toEqual([]);
});

test('a daemon that is killed when an output is put, but not yet written down, puts it again', async () => {
  await daemon.kill();
  await daemon.start({ TOWLINE_FAULT: 'output.store.after' });
  const id = await tes.create({
    outputs: [{ url: 's3://data/killed/x', path: '/w/x' }],
    executors: [sh('echo once >x', { workdir: '/w' })],
  });
  await until(() => daemon.log().includes('fault point output.store.after reached'));
  expect(s3.object('killed/x')?.toString()).toBe('once\n');
  expect(left()).toEqual([`${id}.1.out`]);
  await daemon.kill();
  await daemon.start();
  expect((await tes.ended(id)).state).toBe('COMPLETE');
  expect(s3.object('killed/x')?.toString()).toBe('once\n');
  expect(left()).toEqual([]);
});

test('an input that cannot be had and an output that cannot be put end as SYSTEM_ERROR, with what the server said', async () => {
  const missing = await tes.create({
    inputs: [{ url: 's3://data/nonesuch', path: '/data/x' }],
    executors: [sh('true')],
  });
  expect(await reasonOf(missing)).toBe(
    'STORAGE_FETCH_FAILED: input s3://data/nonesuch cannot be fetched: there is no such object or bucket',
  );
  writeKeys('another-secret-than-that');
  const denied = await tes.create({
    outputs: [{ url: 's3://data/denied/x', path: '/w/x' }],
    executors: [sh('echo x >x', { workdir: '/w' })],
  });
  expect(await reasonOf(denied)).toMatch(/^STORAGE_PUT_FAILED: .*403 SignatureDoesNotMatch/);
  expect(s3.keys('denied/')).toEqual([]);
  chmodSync(credentials, 0o644);
  const open = await tes.create({
    inputs: [{ url: 's3://data/in/x', path: '/data/x' }],
    executors: [sh('true')],
  });
  expect(await reasonOf(open)).toMatch(
    /\[s3\] credentials: .* has mode 0644, so others may read it/,
  );
  expect(daemon.log()).not.toContain('another-secret-than-that');
  expect(left()).toEqual([]);
});

test('a server that nobody reaches is no reason to refuse a task; it ends as SYSTEM_ERROR', async () => {
  await using away = makeDaemon({ more: '[s3]\nendpoint = http://127.0.0.1:2\n' });
  await away.start();
  const client = tesClient({ socketPath: away.socket });
  const id = await client.create({
    inputs: [{ url: 's3://data/x', path: '/data/x' }],
    executors: [sh('true')],
  });
  expect(await reasonOf(id, client)).toMatch(/^STORAGE_FETCH_FAILED: .*ECONNREFUSED/);
  const http = { url: 'https://example.org/x', path: '/w/x' };
  const refused = await client.call('POST', '/tasks', { outputs: [http], executors: [sh('true')] });
  expect(refused.status).toBe(400);
});

async function reasonOf(id: string, client = tes): Promise<string> {
  const { state, logs } = await client.ended(id);
  expect(state).toBe('SYSTEM_ERROR');
  return logs?.[0]?.system_logs?.[0] ?? '';
}
