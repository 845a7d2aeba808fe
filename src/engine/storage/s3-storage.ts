/** Objects of S3, and of what speaks like it: `s3://bucket/key`. */
import { rm } from 'node:fs/promises';
import { isAppError } from '../../domain/failure.ts';
import { parseS3Address } from '../../domain/s3-address.ts';
import type { S3Settings } from '../settings.ts';
import type { BucketPlace } from './s3-client.ts';
import { getBelow, getObject } from './s3-get.ts';
import { putFile } from './s3-put.ts';
import { fetchFailed, putFailed, type Storage } from './storage.ts';

type Act = (place: BucketPlace, key: string, path: string) => Promise<void>;

export function s3Storage(settings: S3Settings): Storage {
  const at = async (act: Act, { url, path, signal }: Where): Promise<void> => {
    const address = parseS3Address(url);
    if ('problem' in address) throw new Error(address.problem);
    if (address.key === '' && act !== getBelow) throw new Error('it has no key');
    await act({ settings, bucket: address.bucket, signal }, address.key, path);
  };
  const fetchBy =
    (act: Act): Storage['fetch'] =>
    async (url, path, { signal }) => {
      try {
        await at(act, { url, path, signal });
      } catch (cause) {
        await rm(path, { force: true, recursive: true });
        signal.throwIfAborted();
        throw isAppError(cause) ? cause : fetchFailed(url, cause);
      }
    };
  return {
    schemes: ['s3'],
    fetch: fetchBy(getObject),
    fetchDirectory: fetchBy(getBelow),
    async put(url, path, { signal }) {
      try {
        await at(putFile, { url, path, signal });
      } catch (cause) {
        signal.throwIfAborted();
        throw putFailed(url, cause);
      }
    },
  };
}

interface Where {
  url: string;
  path: string;
  signal: AbortSignal;
}
