/** The public key that belongs to a private key file, where it can be had without a passphrase. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';

const MAGIC = 'openssh-key-v1\0';
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';

/** From `FILE.pub`, or from the file itself where its form shows it. Never throws. */
export async function publicHalf(
  file: string,
  bytes: Buffer | undefined,
): Promise<Buffer | undefined> {
  const own = bytes === undefined ? undefined : (fromContainer(bytes) ?? fromPublicText(bytes));
  if (own !== undefined) return own;
  const beside = await readFile(`${file}.pub`).catch(() => undefined);
  return beside === undefined ? undefined : fromPublicText(beside);
}

/** OpenSSH's own container keeps the public key outside of what it encrypts. */
export function fromContainer(bytes: Buffer): Buffer | undefined {
  const text = bytes.toString('latin1').trim();
  if (!text.startsWith(BEGIN)) return undefined;
  const end = text.indexOf('-----END', BEGIN.length);
  const inner = Buffer.from(text.slice(BEGIN.length, end === -1 ? undefined : end), 'base64');
  if (inner.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  let at = MAGIC.length;
  const take = (): Buffer | undefined => {
    if (at + 4 > inner.length) return undefined;
    const length = inner.readUInt32BE(at);
    const value = inner.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value.length === length ? value : undefined;
  };
  // Cipher, key derivation and its options stand before the number of keys and the keys.
  if (take() === undefined || take() === undefined || take() === undefined) return undefined;
  at += 4;
  return take();
}

function fromPublicText(bytes: Buffer): Buffer | undefined {
  const parsed = ssh2.utils.parseKey(bytes);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || key.isPrivateKey()) return undefined;
  return key.getPublicSSH();
}
