/** Brings an object, or all below a prefix, to this machine. */
import { createWriteStream } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { formatSize } from '../../domain/units.ts';
import { atMost } from '../staging/at-most.ts';
import { asked, type Bucket, type BucketPlace, never, openBucket } from './s3-client.ts';
import { listBelow } from './s3-list.ts';
import { treeOf } from './s3-tree.ts';

const AT_ONCE = 8;
/** These fetch undoes on the way. */
const UNDONE = /\b(?:x-)?(?:gzip|compress|deflate|br|zstd)\b/i;

export async function getObject(place: BucketPlace, key: string, path: string): Promise<void> {
  const bucket = await openBucket(place);
  await download({ bucket, key, path, signal: place.signal });
}

/** @throws STAGE_LIMIT and why not */
export async function getBelow(place: BucketPlace, key: string, path: string): Promise<void> {
  const prefix = key === '' ? '' : `${key}/`;
  const objects = await listBelow(place, prefix);
  if (objects.length === 0) throw never('nothing is below it');
  const tree = treeOf(prefix, objects);
  if ('problem' in tree) throw never(tree.problem);
  await refuseNoRoom(dirname(path), tree.bytes);
  await mkdir(path, { mode: 0o700 });
  for (const directory of tree.directories) await mkdir(join(path, directory), { mode: 0o700 });
  const bucket = await openBucket(place);
  const { signal } = place;
  await atMost(AT_ONCE, tree.files, (file) =>
    download({ bucket, key: file.key, path: join(path, file.path), signal }),
  );
}

interface Download {
  bucket: Bucket;
  key: string;
  path: string;
  signal: AbortSignal;
}

function download({ bucket, key, path, signal }: Download): Promise<void> {
  return asked(signal, async () => {
    const { body } = await asStored(bucket, key);
    const bytes = body === null ? Readable.from([]) : Readable.fromWeb(body as ReadableStream);
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
  });
}

/** An object may say that it is compressed; its bytes are what is wanted. */
async function asStored(bucket: Bucket, key: string): Promise<Response> {
  const response = await whole(bucket, key);
  if (!isUndone(response)) return response;
  await response.body?.cancel();
  const again = await whole(bucket, key, { 'response-content-encoding': 'identity' });
  if (!isUndone(again)) return again;
  await again.body?.cancel();
  throw never('it is stored with a Content-Encoding that cannot be kept');
}

async function whole(bucket: Bucket, key: string, more = {}): Promise<Response> {
  const response = await bucket.getObjectResponse(key, more);
  if (response === null) throw never('there is no such object or bucket');
  return response;
}

function isUndone({ headers }: Response): boolean {
  return UNDONE.test(headers.get('content-encoding') ?? '');
}

async function refuseNoRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  // also what is no number
  if (bytes <= free) return;
  throw never(`it has ${formatSize(bytes)}, and ${formatSize(free)} are free in ${directory}`);
}
