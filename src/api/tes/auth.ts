/** Who may speak to the TES listener: who has a token, as a bearer, or as the password of Basic with its name as the user. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppError } from '../../domain/failure.ts';
import { parseTokens, type StoredToken } from '../../protocol/tes/token-file.ts';

interface Shown {
  token: string;
  /** Basic says whose it is. */
  name?: string | undefined;
}

/** @throws TES_UNAUTHORIZED, whatever is wrong with what is shown */
export async function authorise(header: string | undefined, tokenFile: string): Promise<void> {
  const shown = shownIn(header);
  const stored = await readTokens(tokenFile);
  const hash = createHash('sha256')
    .update(shown?.token ?? '')
    .digest();
  // all are compared, each in the same time: how long it takes says nothing
  const matches = stored.filter((one) => isSame(one, hash));
  const [match] = matches;
  const fits = match !== undefined && (shown?.name === undefined || shown.name === match.name);
  if (shown === undefined || !fits) {
    throw new AppError('TES_UNAUTHORIZED', 'this request shows no token that is known here');
  }
}

function isSame({ sha256 }: StoredToken, hash: Buffer): boolean {
  return timingSafeEqual(Buffer.from(sha256, 'hex'), hash);
}

function shownIn(header: string | undefined): Shown | undefined {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +([^\s]+)$/i.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return { token: value };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const text = Buffer.from(value, 'base64').toString();
  const at = text.indexOf(':');
  return at < 0 ? undefined : { name: text.slice(0, at), token: text.slice(at + 1) };
}

/** No file: there are no tokens yet. */
async function readTokens(path: string): Promise<StoredToken[]> {
  try {
    return parseTokens(await readFile(path, 'utf8'), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
