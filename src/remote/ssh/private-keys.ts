/** The key files of a host: private keys ready to sign, or only known by their public half. */
import ssh2, { type ParsedKey } from 'ssh2';
import { keepSecret } from '../../secrets.ts';
import type { HostSettings } from '../settings.ts';
import { readPrivateFile } from './private-file.ts';
import { publicHalf } from './public-half.ts';

/** A key file as far as it could be read. Without `key` only an agent can use it. */
export interface FileKey {
  file: string;
  /** The public key, where it is known: enough to find it in an agent. */
  blob?: Buffer | undefined;
  key?: ParsedKey | undefined;
  /** Why the file alone is not enough. */
  trouble?: string | undefined;
}

/** Reads the host's key files in their order. Never throws: what cannot be used says why. */
export async function readKeyFiles(settings: HostSettings): Promise<FileKey[]> {
  const passphrase = await readPassphrase(settings);
  const keys: FileKey[] = [];
  for (const file of settings.identityFiles) keys.push(await readKeyFile(file, passphrase));
  return keys;
}

/** Asked for only when a key wants it: a host whose keys are open needs no such file. */
type Passphrase = { text: string } | { trouble: string } | undefined;

async function readPassphrase({ passphraseFile }: HostSettings): Promise<Passphrase> {
  if (passphraseFile === undefined) return undefined;
  const read = await readPrivateFile(passphraseFile);
  if ('trouble' in read) return { trouble: `the passphrase file: ${read.trouble}` };
  const text = read.bytes.toString('utf8').split(/\r?\n/, 1)[0] ?? '';
  keepSecret(text);
  return { text };
}

async function readKeyFile(file: string, passphrase: Passphrase): Promise<FileKey> {
  const read = await readPrivateFile(file);
  const blob = await publicHalf(file, 'bytes' in read ? read.bytes : undefined);
  if ('trouble' in read) return { file, blob, trouble: read.trouble };
  const text = passphrase !== undefined && 'text' in passphrase ? passphrase.text : undefined;
  const parsed = ssh2.utils.parseKey(read.bytes, text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error) {
    return { file, blob, trouble: `${file}: ${whyNot(key, passphrase)}` };
  }
  if (!key.isPrivateKey()) return { file, blob, trouble: `${file}: it is a public key` };
  return { file, blob: key.getPublicSSH(), key };
}

function whyNot(error: Error | undefined, passphrase: Passphrase): string {
  const words = error?.message ?? 'it holds no key';
  if (!/[Ee]ncrypted|passphrase|integrity check/.test(words)) return words;
  if (passphrase === undefined) {
    return 'it is protected by a passphrase and none was given (passphrase_file)';
  }
  if ('trouble' in passphrase) return passphrase.trouble;
  return 'the passphrase given does not open it';
}
