/** Reads private keys as strictly as OpenSSH does, so that a leaked one is not used in silence. */
import { open, readFile } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import type { HostSettings } from '../settings.ts';
import { fingerprint } from './host-key.ts';

export interface PrivateKey {
  file: string;
  key: ParsedKey;
  /** `type SHA256:… (file)`, for messages. */
  label: string;
}

/**
 * Reads the host's key files in their order. Missing ones are passed over while others are there.
 * @throws SSH_KEY_UNREADABLE for a file that others may read, that is no private key, that needs a
 * passphrase nobody gave, or when no file is there at all
 */
export async function readPrivateKeys(
  settings: HostSettings,
  context: ErrorContext,
): Promise<PrivateKey[]> {
  const passphrase = await readPassphrase(settings, context);
  const keys: PrivateKey[] = [];
  for (const file of settings.identityFiles) {
    const text = await readStrictly(file, context);
    if (text !== undefined) keys.push(parse(file, text, { passphrase, context }));
  }
  if (keys.length === 0) {
    const files = settings.identityFiles.join(', ') || 'no identity_file is set';
    throw unreadable(`no private key is there: ${files}`, { ...context, file: files });
  }
  return keys;
}

async function readPassphrase(
  { passphraseFile }: HostSettings,
  context: ErrorContext,
): Promise<string | undefined> {
  if (passphraseFile === undefined) return undefined;
  const text = await readStrictly(passphraseFile, context);
  if (text === undefined) {
    throw unreadable(`the passphrase file ${passphraseFile} is not there`, context);
  }
  return text.toString('utf8').split('\n', 1)[0];
}

async function readStrictly(file: string, context: ErrorContext): Promise<Buffer | undefined> {
  try {
    // Mode and bytes come from one handle: the file cannot be exchanged between the two looks.
    await using handle = await open(file, 'r');
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw unreadable(`${file} has mode ${shown}, so others may read it; chmod 600 ${file}`, {
        ...context,
        file,
      });
    }
    return await readFile(handle);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof AppError) throw error;
    throw unreadable(`${file}: ${(error as Error).message}`, { ...context, file }, error);
  }
}

function parse(
  file: string,
  text: Buffer,
  { passphrase, context }: { passphrase: string | undefined; context: ErrorContext },
): PrivateKey {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error) {
    const words = key?.message ?? 'it holds no key';
    const encrypted = /[Ee]ncrypted|passphrase|integrity check/.test(words);
    const reason = !encrypted
      ? words
      : passphrase === undefined
        ? 'it is protected by a passphrase and none was given'
        : 'the passphrase given does not open it';
    throw unreadable(`${file}: ${reason}`, { ...context, file }, key);
  }
  if (!key.isPrivateKey()) throw unreadable(`${file}: it is a public key`, { ...context, file });
  return { file, key, label: `${key.type} ${fingerprint(key.getPublicSSH())} (${file})` };
}

function unreadable(message: string, context: ErrorContext, cause?: unknown): AppError {
  const words = `private key for host ${context['host']}: ${message}`;
  return new AppError(
    'SSH_KEY_UNREADABLE',
    words,
    cause === undefined ? { context } : { context, cause },
  );
}
