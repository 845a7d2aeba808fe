/** Lists what is below a prefix of a bucket, however many pages it takes. */
import { ENTRIES_MAX, tooMany } from '../disk/list-files.ts';
import { asked, type BucketPlace, never, openBucket } from './s3-client.ts';
import type { S3Object } from './s3-tree.ts';

const PAGE = 1000;

/** @throws STAGE_LIMIT for more than a task may have, and what the server said */
export async function listBelow(place: BucketPlace, prefix: string): Promise<S3Object[]> {
  const listing = { isEncoded: false };
  const bucket = await openBucket(place, seeing(listing));
  const objects: S3Object[] = [];
  let next: string | undefined;
  do {
    const page = await asked(place.signal, () =>
      bucket.listObjectsPaged('/', prefix, PAGE, next, { 'encoding-type': 'url' }),
    );
    if (!page?.objects) throw never('there is no such bucket');
    for (const { Key, Size } of page.objects) {
      objects.push({ key: listing.isEncoded ? decoded(Key) : Key, bytes: Size });
    }
    if (objects.length > ENTRIES_MAX) {
      throw tooMany(`s3://${place.bucket}/${prefix}`, `more than ${ENTRIES_MAX} files`);
    }
    next = page.nextContinuationToken;
  } while (next !== undefined && next !== '');
  return objects;
}

/** Not every server writes keys as it is asked to, and the package does not tell. */
function seeing(listing: { isEncoded: boolean }): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { status, statusText, headers } = response;
    const text = await response.text();
    listing.isEncoded = text.includes('<EncodingType>url</EncodingType>');
    return new Response(text, { status, statusText, headers });
  };
}

function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
