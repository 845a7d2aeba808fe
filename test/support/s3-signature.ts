/** The signature of a request as Amazon describes it (Signature Version 4), made anew from what came. */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** True when somebody who knows the secret has signed it, or when nobody has. */
export function isSignedWith(secret: string, request: IncomingMessage): boolean {
  const { authorization } = request.headers;
  if (authorization === undefined) return true;
  const [, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
      authorization,
    ) ?? [];
  const time = String(request.headers['x-amz-date']);
  const hash = createHash('sha256').update(canonical(request, names)).digest('hex');
  const text = ['AWS4-HMAC-SHA256', time, scope, hash].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((last, part) => hmac(last).update(part).digest(), `AWS4${secret}`);
  return hmac(key).update(text).digest('hex') === signature;
}

const hmac = (key: string | Buffer) => createHmac('sha256', key);

function canonical({ method, url = '', headers }: IncomingMessage, names: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const pairs = query
    .split('&')
    .filter(Boolean)
    .map((pair) => pair.split(/=(.*)/s).slice(0, 2).map(again))
    .map(([name = '', value = '']) => `${name}=${value}`)
    .sort();
  const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`);
  const uri = path.split('/').map(again).join('/');
  const payload = headers['x-amz-content-sha256'];
  return [method, uri, pairs.join('&'), ...lines, '', names, payload].join('\n');
}

/** Decoded, and encoded as the specification says: all but letters, digits, - . _ ~ */
function again(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
