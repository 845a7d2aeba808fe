/**
 * Goal: over TCP only those are served who have a token, and only for this machine's names. Method: the real listener on a
 * free port of this machine, a fake engine behind it.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenTes } from '../../../../src/api/tes/listener.ts';
import { formatTokens } from '../../../../src/protocol/tes/token-file.ts';
import { QUIET_LOGGER } from '../../../support/fake-daemon.ts';
import { FakeService } from '../../../support/fake-service.ts';
import { makeCertificate } from '../../../support/tes/certificate.ts';
import { type TesPlace, tesClient } from '../../../support/tes/client.ts';

const SECRET = 'a-secret-of-a-test';
const ORGANIZATION = { name: 'Lab', url: 'https://lab.example.org/' };
const dir = mkdtempSync(join(tmpdir(), 'towline-tes-'));
const tokenFile = join(dir, 'tokens');
const options = {
  ...{ service: new FakeService(), logger: QUIET_LOGGER, version: '1', specDefaults: () => ({}) },
  ...{
    roots: () => [],
    organization: () => ORGANIZATION,
    names: ['tes.example.org'],
    tokenFile,
    endpoint: '127.0.0.1:0',
  },
};
let api: Awaited<ReturnType<typeof listenTes>>;
let port: number;

beforeAll(async () => {
  api = await listenTes(options);
  port = (api.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await api.close();
  rmSync(dir, { recursive: true });
});

const status = async (headers: Record<string, string>, base = '/ga4gh/tes/v1') => {
  const { call } = tesClient({ host: '127.0.0.1', port }, { base, headers });
  return (await call('GET', '/service-info')).status;
};
const bearer = { authorization: `Bearer ${SECRET}` };
const basic = (user: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${SECRET}`).toString('base64')}`,
});

test('TES_UNAUTHORIZED: without a token nobody is served, and one that is removed counts no more', async () => {
  expect(await status(bearer)).toBe(401);
  const sha256 = createHash('sha256').update(SECRET).digest('hex');
  writeFileSync(tokenFile, formatTokens([{ name: 'me', sha256, createdAt: 'now' }]));
  expect(await status({})).toBe(401);
  expect(await status({ authorization: 'Bearer other' })).toBe(401);
  expect(await status({ authorization: `Bearer ${sha256}` })).toBe(401);
  expect(await status(bearer)).toBe(200);
  expect(await status(bearer, '/v1')).toBe(200);
  expect(await status(basic('me'))).toBe(200);
  expect(await status(basic('you'))).toBe(401);
  writeFileSync(tokenFile, '');
  expect(await status(bearer)).toBe(401);
  writeFileSync(tokenFile, formatTokens([{ name: 'me', sha256, createdAt: 'now' }]));
});

test('a request of a web page, or for another name, is refused', async () => {
  expect(await status({ ...bearer, origin: 'http://evil.example' })).toBe(400);
  expect(await status({ ...bearer, host: 'evil.example' })).toBe(400);
  expect(await status({ ...bearer, host: `TES.example.org:${port}` })).toBe(200);
});

test('without roots no file of this machine can be named, and the rest of the door is not here', async () => {
  const { call } = tesClient({ host: '127.0.0.1', port }, { headers: bearer });
  const task = {
    inputs: [{ url: 'file:///etc/hostname', path: '/in/a' }],
    executors: [{ image: 'mini', command: ['true'] }],
  };
  expect((await call('POST', '/tasks', task)).status).toBe(400);
  const door = tesClient({ host: '127.0.0.1', port }, { base: '', headers: bearer });
  for (const path of ['/v1/hosts', '/healthz', '/metrics', '/openapi.json']) {
    expect([path, (await door.call('GET', path)).status]).toEqual([path, 404]);
  }
});

test('TES_LISTEN_FAILED: a port that is taken is told', async () => {
  const again = listenTes({ ...options, endpoint: `127.0.0.1:${port}` });
  await expect(again).rejects.toMatchObject({ code: 'TES_LISTEN_FAILED' });
});

describe('with TLS', () => {
  const made = (name: string) => {
    const { key, cert } = makeCertificate(dir, name);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  };
  const tls = made('own');

  test('those who know its authority are served, others do not go on, and plain requests get nothing', async () => {
    const secure = await listenTes({ ...options, tls });
    try {
      const at = { host: '127.0.0.1', port: (secure.server.address() as AddressInfo).port };
      const asked = (place: TesPlace) =>
        tesClient(place, { headers: bearer }).call('GET', '/service-info');
      expect((await asked({ ...at, ca: tls.cert })).status).toBe(200);
      await expect(asked({ ...at, ca: made('other').cert })).rejects.toMatchObject({
        code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
      });
      await expect(asked(at)).rejects.toMatchObject({ code: 'ECONNRESET' });
    } finally {
      await secure.close();
    }
  });

  test('TES_LISTEN_FAILED: a key of another certificate is told', async () => {
    const wrong = listenTes({ ...options, tls: { cert: tls.cert, key: made('third').key } });
    await expect(wrong).rejects.toMatchObject({ code: 'TES_LISTEN_FAILED' });
  });
});
