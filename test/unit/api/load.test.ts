/** Goal: what is too much at once is refused clearly and nothing is lost by it. Method: the real API on a real socket. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { HEADERS_BYTES_MAX, REQUESTS_MAX, STREAMS_MAX } from '../../../src/protocol/limits.ts';
import { FakeDaemon, QUIET_LOGGER } from '../../support/fake-daemon.ts';
import { FakeService } from '../../support/fake-service.ts';
import { until } from '../../support/until.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

interface Answer {
  status: number;
  body: string;
  end: () => void;
}

/** Resolves with the first part of the body; the connection stays open. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: daemon.socketPath, path, headers, agent: false };
    const asked = request(options, (response) => {
      const end = (): void => void response.destroy();
      const status = response.statusCode ?? 0;
      if (status === 200) return resolve({ status, body: '', end });
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status, body, end }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('one follower too many is refused; when one leaves, the next is let in', async () => {
  const follow = () => get('/v1/events?follow=true');
  const there = await Promise.all(Array.from({ length: STREAMS_MAX }, follow));
  expect(there.every(({ status }) => status === 200)).toBe(true);
  const refused = await follow();
  expect(refused.status).toBe(429);
  expect(refused.body).toContain('DAEMON_BUSY');
  expect((await get('/healthz')).status).toBe(200);
  there[0]?.end();
  await until(async () => {
    const next = await follow();
    next.end();
    return next.status === 200;
  });
  for (const { end } of there) end();
});

test('bodies that would fill the memory are refused before they are read', async () => {
  const head = [
    'POST /v1/tasks HTTP/1.1',
    'host: x',
    'content-type: application/json',
    `content-length: ${16 * 1024 * 1024}`,
    '',
    '',
  ].join('\r\n');
  const sockets = Array.from({ length: 17 }, () => connect(daemon.socketPath));
  const answers: string[] = [];
  for (const socket of sockets) {
    socket.on('data', (chunk: Buffer) => void answers.push(chunk.toString()));
    socket.on('error', () => {});
    socket.write(head);
  }
  await until(() => answers.length > 0);
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatch(/^HTTP\/1.1 429 /);
  for (const socket of sockets) socket.destroy();
  await until(async () => {
    const { status } = await get('/v1/tasks', {
      'content-type': 'application/json',
      'content-length': '0',
    });
    return status === 200;
  });
});

test('headers beyond their size are refused', async () => {
  const { status } = await get('/healthz', { x: 'y'.repeat(HEADERS_BYTES_MAX) });
  expect(status).toBe(431);
});

test('one request too many is refused while the others wait', async () => {
  const service = new FakeService();
  const api = createApi({
    ...{ service, logger: QUIET_LOGGER, version: '1', specDefaults: () => ({}) },
  });
  const never = Promise.withResolvers<never>();
  let waiting = 0;
  service.host = () => {
    waiting += 1;
    return never.promise;
  };
  const ask = () => api.inject('/v1/hosts/vm');
  const asked = Array.from({ length: REQUESTS_MAX }, ask);
  await until(() => waiting === REQUESTS_MAX);
  const refused = await ask();
  expect([refused.statusCode, refused.json()]).toMatchObject([
    429,
    { error: { code: 'DAEMON_BUSY' } },
  ]);
  never.reject(new Error('over'));
  await Promise.all(asked);
  expect((await api.inject('/healthz')).statusCode).toBe(200);
  await api.close();
});

test('requests that name a type and have no body hold nothing', async () => {
  const headers = { 'content-type': 'application/json' };
  const answers = await Promise.all(Array.from({ length: 60 }, () => get('/v1/hosts', headers)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});
