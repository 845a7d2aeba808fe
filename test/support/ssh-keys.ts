/** Makes key pairs and known_hosts lines with ssh-keygen. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  path: string;
  /** `type base64` without the comment. */
  publicKey: string;
}

/** A fresh pair at `path` and `path.pub`. */
export async function makeKeyPair(
  path: string,
  options: { type?: 'ed25519' | 'rsa' | 'ecdsa'; passphrase?: string } = {},
): Promise<KeyPair> {
  const { type = 'ed25519', passphrase = '' } = options;
  await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
  const text = await readFile(`${path}.pub`, 'utf8');
  return { path, publicKey: text.split(' ').slice(0, 2).join(' ') };
}
