/** Puts a local file into a bucket: a small one at once, a larger one in parts. */
import { openAsBlob } from 'node:fs';
import { atMost } from '../staging/at-most.ts';
import { asked, type Bucket, type BucketPlace, openBucket } from './s3-client.ts';

const MIB = 1024 * 1024;
const PART_MIN = 8 * MIB;
const PARTS_MAX = 10_000;
const PARTS_AT_ONCE = 4;
/** For the last word to a server when nothing else is wanted of it any more. */
const ABORT_MS = 10_000;

export async function putFile(place: BucketPlace, key: string, path: string): Promise<void> {
  const bucket = await openBucket(place);
  const file = await openAsBlob(path);
  if (file.size > PART_MIN) await putParts(place, { bucket, key, file });
  else await asked(place.signal, () => bucket.putObject(key, file));
}

/** A file has at most 10,000 parts. */
export function partBytes(size: number): number {
  return Math.max(PART_MIN, Math.ceil(size / PARTS_MAX / MIB) * MIB);
}

interface Upload {
  bucket: Bucket;
  key: string;
  file: Blob;
}

async function putParts(place: BucketPlace, { bucket, key, file }: Upload): Promise<void> {
  const { signal } = place;
  const id = await asked(signal, () => bucket.getMultipartUploadId(key));
  try {
    const bytes = partBytes(file.size);
    const numbers = Array.from({ length: Math.ceil(file.size / bytes) }, (_, index) => index + 1);
    const parts = await atMost(PARTS_AT_ONCE, numbers, (number) => {
      const part = file.slice((number - 1) * bytes, number * bytes);
      return asked(signal, () => bucket.uploadPart(key, id, part, number));
    });
    await asked(signal, async () => {
      // a server may begin to answer with 200 and fail after that
      const { etag } = await bucket.completeMultipartUpload(key, id, parts);
      if (!etag) throw new Error('the server did not put the parts together');
    });
  } catch (error) {
    await dropParts(place, key, id).catch(() => {});
    throw error;
  }
}

/** Parts of an upload that is not ended cost room there for ever. */
async function dropParts(place: BucketPlace, key: string, id: string): Promise<void> {
  const bucket = await openBucket({ ...place, signal: AbortSignal.timeout(ABORT_MS) });
  await bucket.abortMultipartUpload(key, id);
}
