/** Speaks to one bucket by s3mini, which is loaded when the first task wants it: most daemons never do. */
import { AbortError } from 'p-retry';
import type { S3mini } from 's3mini';
import type { S3Settings } from '../settings.ts';
import { inTries, mayPass } from './tries.ts';

export type Bucket = S3mini;

/** A bucket of a server, and how long it is spoken to. */
export interface BucketPlace {
  settings: S3Settings;
  bucket: string;
  signal: AbortSignal;
}

/** @throws why the keys cannot be had, by an AbortError: to ask again is of no use */
export async function openBucket(
  { settings, bucket, signal }: BucketPlace,
  ask: typeof fetch = fetch,
): Promise<Bucket> {
  const keys = await settings.keys();
  if (keys !== undefined && 'trouble' in keys) throw never(`[s3] credentials: ${keys.trouble}`);
  const { S3mini: Client } = await import('s3mini');
  return new Client({
    ...(keys ?? { accessKeyId: '', secretAccessKey: '' }),
    endpoint: `${settings.endpoint}/${bucket}`,
    region: settings.region,
    // a redirect leads to where the signature does not count
    fetch: (input, init) => ask(input, { ...init, signal, redirect: 'manual' }),
  });
}

/** Asks a few times. @throws what the server said, or why it did not */
export function asked<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  return inTries(async () => {
    try {
      return await act();
    } catch (error) {
      throw judged(error);
    }
  }, signal);
}

/** A reason that stays the same however often it is asked. */
export function never(reason: string): AbortError {
  return new AbortError(new Error(reason));
}

/** The class that the package throws is not loaded to be asked for. */
function judged(error: unknown): Error {
  const { status, serviceCode, body } = error as Partial<import('s3mini').S3ServiceError>;
  if (typeof status !== 'number') return error as Error;
  const [, code] = /<Code>([^<]{1,100})/.exec(body ?? '') ?? [undefined, serviceCode];
  const words = /<Message>([^<]{1,500})/.exec(body ?? '')?.[1];
  const said = [code, words].filter((word) => word !== undefined).join(': ');
  const told = new Error(`the server answered ${status} ${said}`.trim());
  return mayPass(status) ? told : new AbortError(told);
}
