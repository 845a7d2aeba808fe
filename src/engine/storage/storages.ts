/** The storages there are: a new one is a file of its own and a word here. */
import { AppError } from '../../domain/failure.ts';
import type { EngineSettings } from '../settings.ts';
import { httpStorage } from './http-storage.ts';
import { s3Storage } from './s3-storage.ts';
import { type Storage, withoutSecrets } from './storage.ts';

/** Gives the storage that an address is for, as it is configured now. @throws STORAGE_UNSUPPORTED */
export type StorageFor = (url: string) => Storage;

export function createStorages(settings: () => Pick<EngineSettings, 's3'>): StorageFor {
  return (url) => {
    const { s3 } = settings();
    const storages = [httpStorage, ...(s3 === undefined ? [] : [s3Storage(s3)])];
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase() ?? '';
    const storage = storages.find(({ schemes }) => schemes.includes(scheme));
    if (storage !== undefined) return storage;
    const known = storages.flatMap(({ schemes }) => schemes).join(', ');
    const why = `${withoutSecrets(url)}: there is no storage for ${scheme || 'it'}: there are ${known}`;
    throw new AppError('STORAGE_UNSUPPORTED', why, { context: { scheme } });
  };
}
