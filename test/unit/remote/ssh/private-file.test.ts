/** Files that only we may read: modes as OpenSSH and systemd see them, credentials by their name. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isPrivate, readPrivateFile } from '../../../../src/remote/ssh/private-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'towline-private-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it.each([
  [0o600, 1000, false, true],
  [0o400, 1000, false, true],
  [0o440, 1000, false, false],
  [0o640, 0, false, false],
  // systemd with an access list, and without one.
  [0o440, 0, true, true],
  [0o400, 1000, true, true],
  [0o444, 0, true, false],
  [0o460, 0, true, false],
  [0o440, 1000, true, false],
])('mode %o of user %d, a credential: %s → private: %s', (mode, uid, isCredential, expected) => {
  expect(isPrivate({ mode: 0o100000 | mode, uid }, isCredential)).toBe(expected);
});

it('reads a credential by its name below $CREDENTIALS_DIRECTORY', async () => {
  writeFileSync(join(dir, 'passphrase'), 'open sesame\n', { mode: 0o400 });
  const read = await readPrivateFile('$CREDENTIALS_DIRECTORY/passphrase', dir);
  expect('bytes' in read && read.bytes.toString()).toBe('open sesame\n');
  expect(await readPrivateFile('$CREDENTIALS_DIRECTORY/passphrase', undefined)).toEqual({
    trouble: expect.stringContaining('no credentials'),
  });
});

it('says how to mend a file that others may read', async () => {
  const path = join(dir, 'open');
  writeFileSync(path, 'x');
  chmodSync(path, 0o644);
  expect(await readPrivateFile(path)).toEqual({
    trouble: expect.stringContaining(`chmod 600 ${path}`),
  });
});
