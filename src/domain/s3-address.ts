/** Addresses of objects: `s3://bucket/key`. The key is what stands there, as it is: nothing in it is decoded. */

export interface S3Address {
  bucket: string;
  /** Without the slashes at its end; empty for the whole bucket. */
  key: string;
}

const KEY_BYTES_MAX = 1024;

/** What an address names, or why it cannot be one. */
export function parseS3Address(url: string): S3Address | { problem: string } {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url) ?? [];
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
    return { problem: 'it is not s3://BUCKET/KEY' };
  }
  const key = rest.replace(/\/+$/, '');
  const problem = key === '' ? undefined : keyProblem(key);
  return problem === undefined ? { bucket, key } : { problem: `its key ${problem}` };
}

/** Why a key is no path below some directory, if it is none: others may have given objects their names. */
export function keyProblem(key: string): string | undefined {
  if (/[\p{Cc}\u2028\u2029]/u.test(key) || !key.isWellFormed()) return 'has control characters';
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `has more than ${KEY_BYTES_MAX} bytes`;
  const parts = key.split('/');
  if (parts.includes('')) return 'has an empty part';
  if (parts.some((part) => part === '.' || part === '..')) return 'has . or .. as a part';
  return undefined;
}
