/**
 * What we agree to speak. Left out on purpose: SHA-1 in any role, CBC, compression, and
 * chacha20-poly1305, which is open to Terrapin with servers without strict key exchange.
 */
import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';
import type { PinnedKey } from './known-hosts.ts';

/** RSA keys stand as `ssh-rsa` in known_hosts whatever hash signs with them. */
export const SIGNATURES: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Only key types that are pinned are asked for, so a host cannot be pushed to an unpinned one. */
export function algorithmsFor(pinned: PinnedKey[]): Algorithms {
  const types = pinned.length === 0 ? Object.keys(SIGNATURES) : pinned.map((key) => key.type);
  return {
    kex: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group-exchange-sha256',
    ],
    serverHostKey: [...new Set(types)].flatMap((type) => SIGNATURES[type] ?? []),
    cipher: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
    ],
    hmac: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
    ],
    compress: ['none'],
  };
}
