/**
 * Goal: TES is served over TCP as [tes] says, with a key that only its user can read. Method: the real listener on a free
 * port of this machine, a fake engine behind it.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { serveTes } from '../../src/tes-door.ts';
import { QUIET_LOGGER } from '../support/fake-daemon.ts';
import { FakeService } from '../support/fake-service.ts';
import { makeCertificate } from '../support/tes/certificate.ts';

const dir = mkdtempSync(join(tmpdir(), 'towline-tes-door-'));
afterAll(() => rmSync(dir, { recursive: true }));

const { cert: tlsCert, key: tlsKey } = makeCertificate(dir, 'own');
const deps = { service: new FakeService(), logger: QUIET_LOGGER, version: '1' };

function serve(tes: object): Promise<() => Promise<void>> {
  const config = { tes: { listen: '127.0.0.1:0', ...tes }, daemon: { stateDir: dir } };
  return serveTes(() => config as unknown as Config, deps);
}

test('a key that others can read is refused, and served with once it is private', async () => {
  chmodSync(tlsKey, 0o644);
  await expect(serve({ tlsCert, tlsKey })).rejects.toMatchObject({
    code: 'TES_LISTEN_FAILED',
    message: `[tes] tls_key cannot be used: ${tlsKey} has mode 0644, so others may read it; chmod 600 ${tlsKey}`,
  });
  chmodSync(tlsKey, 0o600);
  const end = await serve({ tlsCert, tlsKey });
  await end();
});

test('a certificate that is not there is told', async () => {
  await expect(serve({ tlsCert: join(dir, 'none.pem'), tlsKey })).rejects.toMatchObject({
    code: 'TES_LISTEN_FAILED',
    message: expect.stringContaining('[tes] tls_cert cannot be used: ENOENT'),
  });
});

test('without listen nothing is served', async () => {
  const end = await serve({ listen: undefined });
  await end();
});
