/**
 * Goal: a private image is pulled with the login of its registry, which is found nowhere else and nowhere after.
 * Method: real pulls on the bed through a registry that lets in one login, planted secrets, and every command
 * line seen meanwhile.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formsOf, leaksBelow } from '../seeds/remains.ts';
import { watchArgv } from '../seeds/watch-argv.ts';
import { onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type RegistryProxy, startRegistryProxy } from '../support/faults/registry-proxy.ts';
import { freshImage } from '../support/registry.ts';
import { until } from '../support/until.ts';

const OURS = { name: 'the login', secret: 'planted-login-5TzYc1Wq' };
const OTHER = { name: "another registry's login", secret: 'planted-other-9PxLd2Vn' };
const CANARIES = [OURS, OTHER];

let daemon: TestDaemon;
let registry: RegistryProxy;
let dir: string;
let file: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'towline-login-'));
  file = join(dir, 'registries.json');
  registry = await startRegistryProxy({ login: `alice:${OURS.secret}` });
  daemon = makeDaemon({
    vm: {
      image_cache_dir: '',
      insecure_registries: registry.name,
      registry_auth_file: file,
      pull_attempts: '1',
    },
  });
  writeLogins(`alice:${OURS.secret}`);
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

function writeLogins(login: string): void {
  const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
  const auths = { [registry.name]: auth(login), 'other.example.org': auth(`o:${OTHER.secret}`) };
  writeFileSync(file, JSON.stringify({ auths }), { mode: 0o600 });
}

async function reference(megabytes = 0): Promise<string> {
  return `docker://${registry.name}/${(await freshImage(megabytes)).name}:1`;
}

function onVm(script: string): Promise<string> {
  return onHost('vm', 'sh', '-c', script, daemon.root);
}

/** Nothing of the secrets in our files, nor below the root on the host. */
async function nothingLeft(): Promise<void> {
  const forms = formsOf(CANARIES);
  expect(leaksBelow(daemon.dir, forms)).toEqual([]);
  const words = forms.map(({ text }) => `-e ${text.slice(0, 16)}`).join(' ');
  expect(await onVm(`grep -rlaF ${words} "$0" || true; find "$0" -name auth.json`)).toBe('');
}

test('a private image is pulled by the login of its registry, which stands in one file of mode 0600 while it runs', async () => {
  const image = await reference(8);
  registry.spoil('/blobs/', 99, { kind: 'slow', pieceBytes: 256 * 1024, pauseMs: 40 });
  const argv = watchArgv(CANARIES);
  const id = await daemon.submit('--host', 'vm', image, '--', 'true');
  let seen = '';
  await until(async () => {
    seen = await onVm(
      'find "$0" -name auth.json -exec stat -c "%a %U" {} \\; -exec cat {} \\; 2>/dev/null || true',
    );
    return seen !== '';
  });
  expect(seen).toContain('600 alice');
  expect(seen).not.toContain('other.example.org');
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(argv.stop()).toEqual([]);
  await nothingLeft();
});

test('the file is gone after a failure and after a cancel, too', async () => {
  writeLogins(`alice:${OTHER.secret}`);
  const refused = await daemon.cli('image', 'pull', 'vm', await reference());
  expect(refused.stderr).toContain('IMAGE_UNAUTHORIZED');
  await nothingLeft();
  writeLogins(`alice:${OURS.secret}`);
  registry.spoil('/blobs/', 99, { kind: 'slow', pieceBytes: 16 * 1024, pauseMs: 100 });
  const id = await daemon.submit('--host', 'vm', await reference(8), '--', 'true');
  await until(async () => (await onVm('find "$0" -name auth.json')) !== '');
  await daemon.cli('cancel', id);
  await daemon.cli('wait', id);
  await until(async () => (await onVm('find "$0" -name auth.json')) === '');
  await nothingLeft();
});

test('REGISTRY_AUTH_INVALID: a file that others may read, or that is none, is told and not used', async () => {
  const image = await reference();
  chmodSync(file, 0o640);
  const open = await daemon.cli('image', 'pull', 'vm', image);
  expect(open.stderr).toContain('REGISTRY_AUTH_INVALID');
  expect(open.stderr).toContain(`chmod 600 ${file}`);
  chmodSync(file, 0o600);
  writeFileSync(file, `not json: ${OURS.secret}`);
  const none = await daemon.cli('image', 'pull', 'vm', image);
  expect(none.stderr).toContain('is no Docker config.json');
  expect(none.stderr).not.toContain(OURS.secret);
  await nothingLeft();
});
