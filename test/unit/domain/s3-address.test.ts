/** Goal: an address of S3 means one object, or says why it means none. Method: tables. */
import { expect, test } from 'vitest';
import { parseS3Address } from '../../../src/domain/s3-address.ts';

test.each([
  ['s3://bucket/a/b.txt', 'bucket', 'a/b.txt'],
  ['S3://b-1.x/a b/ü+%20?v=1#x', 'b-1.x', 'a b/ü+%20?v=1#x'],
  ['s3://bucket/dir//', 'bucket', 'dir'],
  ['s3://bucket', 'bucket', ''],
  ['s3://bucket/', 'bucket', ''],
])('%j', (url, bucket, key) => {
  expect(parseS3Address(url)).toEqual({ bucket, key });
});

test.each([
  ['s3:///a', 'it is not s3://BUCKET/KEY'],
  ['s3:bucket/a', 'it is not s3://BUCKET/KEY'],
  ['s3://../a', 'it is not s3://BUCKET/KEY'],
  ['s3://user:word@bucket/a', 'it is not s3://BUCKET/KEY'],
  ['https://bucket/a', 'it is not s3://BUCKET/KEY'],
  ['s3://bucket/a/../../other/x', 'its key has . or .. as a part'],
  ['s3://bucket/./a', 'its key has . or .. as a part'],
  ['s3://bucket//etc', 'its key has an empty part'],
  ['s3://bucket/a\nb', 'its key has control characters'],
  ['s3://bucket/\ud800', 'its key has control characters'],
  [`s3://bucket/${'ü'.repeat(513)}`, 'its key has more than 1024 bytes'],
])('%j is refused', (url, problem) => {
  expect(parseS3Address(url)).toEqual({ problem });
});
