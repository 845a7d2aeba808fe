/**
 * Brings many small files to their final names on the submit host, as deliver.ts does with one: each to a temporary
 * name beside its final one, all of them put on disk at once, then named, never over an existing file unless asked.
 */
import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { between } from '../../fault.ts';
import { askDisk } from '../disk/disk.ts';
import type { WrittenPart } from '../disk/part-files.ts';
import { atMost } from './at-most.ts';
import {
  cannotWrite,
  type Delivery,
  exists,
  isDelivered,
  makeDirectory,
  onDisk,
  partPath,
  syncDirectory,
} from './deliver.ts';

/** Files that are worked on at once. */
const AT_ONCE = 16;
/** Names that are given by one question. */
const NAMED_AT_ONCE = 500;

const execute = promisify(execFile);

/** Those whose bytes are not there yet; for them there are directories. @throws as isDelivered and makeDirectory */
export async function undelivered<T extends Delivery>(deliveries: readonly T[]): Promise<T[]> {
  const there = await askDisk('lookAt', [deliveries.map(({ local }) => local)]);
  const asked = deliveries.map((delivery, index) => ({
    delivery,
    isFree: there[index] === 'nothing',
  }));
  const wanted = await atMost(AT_ONCE, asked, async ({ delivery, isFree }) => {
    if (isFree || !(await isDelivered(delivery))) return [delivery];
    // A daemon that was killed in the middle may have left its part beside the whole.
    await onDisk(delivery.local, () => rm(partPath(delivery), { force: true }));
    return [];
  });
  const missing = wanted.flat();
  const bases = new Map(missing.map(({ local, base }) => [dirname(local), base]));
  for (const [directory, base] of bases) await makeDirectory(directory, base);
  return missing;
}

/** Bytes of several files, one behind the other. */
export interface WholeFiles<T> {
  files: readonly T[];
  sizes: readonly number[];
  bytes: Uint8Array<ArrayBuffer>;
}

interface Written {
  delivery: Delivery;
  part: WrittenPart;
}

/** Files under their temporary names, until all of them are named or dropped. */
export interface Batch {
  /** The bytes are not here any more. @throws OUTPUT_LOCAL_WRITE OUTPUT_LOCAL_FULL */
  put(whole: WholeFiles<Delivery>): Promise<void>;
  /**
   * Gives those that are what the host says of them their names; what has none then is removed. Gives one that
   * is something else, if there is any. @throws OUTPUT_EXISTS OUTPUT_LOCAL_* and why the host says nothing
   */
  publish(): Promise<Written | undefined>;
  drop(): Promise<void>;
}

export function openBatch(): Batch {
  const begun: Delivery[] = [];
  const written: Written[] = [];
  const drop = async (): Promise<void> => {
    const [first] = begun;
    if (first === undefined) return;
    await onDisk(first.local, () => askDisk('removeFiles', [begun.splice(0).map(partPath)]));
  };
  return {
    async put({ files, sizes, bytes }) {
      begun.push(...files);
      let end = 0;
      const parts = files.map((delivery, index) => {
        const length = sizes[index] ?? 0;
        const at = end;
        end += length;
        return {
          path: partPath(delivery),
          mode: delivery.mode & 0o111 ? 0o755 : 0o644,
          at,
          length,
        };
      });
      const ask = () => askDisk('writeParts', [parts, bytes], [bytes.buffer]);
      const answers = await onDisk(files[0]?.local ?? '', ask);
      for (const [index, part] of answers.entries())
        written.push({ delivery: files[index] as Delivery, part });
    },
    async publish() {
      try {
        return await publish(written);
      } finally {
        await drop();
      }
    },
    drop,
  };
}

async function publish(written: readonly Written[]): Promise<Written | undefined> {
  const good: Written[] = [];
  let bad: Written | undefined;
  let silent: unknown;
  for (const one of written) {
    try {
      if ((await one.delivery.sha256) === one.part.sha256) good.push(one);
      else bad ??= one;
    } catch (error) {
      silent ??= error;
    }
  }
  if (good.length > 0) await between('output.publish', () => giveNames(good));
  if (silent !== undefined) throw silent as Error;
  return bad;
}

async function giveNames(written: readonly Written[]): Promise<void> {
  await putOnDisk(written);
  for (let at = 0; at < written.length; at += NAMED_AT_ONCE)
    await nameSome(written.slice(at, at + NAMED_AT_ONCE));
  const directories = new Map(written.map(({ delivery: { local } }) => [dirname(local), local]));
  await atMost(AT_ONCE, [...directories], async ([directory, local]) => {
    await onDisk(local, () => syncDirectory(directory));
  });
}

async function nameSome(some: readonly Written[]): Promise<void> {
  const parts = some.map(({ delivery, part: { identity } }) => {
    const { local, overwrite } = delivery;
    return { path: partPath(delivery), local, overwrite, identity };
  });
  await askDisk('nameParts', [parts]).catch((cause: NodeJS.ErrnoException & { index?: number }) => {
    const local = some[cause.index ?? 0]?.delivery.local ?? '';
    throw cause.code === 'EEXIST' ? exists(local) : cannotWrite(local, cause);
  });
}

/**
 * Each file system once: on a real disk a sync costs as much for one file as for a thousand. Where there is no such
 * program, each file for itself.
 */
async function putOnDisk(written: readonly Written[]): Promise<void> {
  const places = new Map(
    written.map(({ delivery, part }) => [part.identity.dev, dirname(delivery.local)]),
  );
  try {
    for (const place of places.values()) await execute('sync', ['-f', place]);
  } catch {
    await atMost(AT_ONCE, written, async ({ delivery }) => {
      await onDisk(delivery.local, async () => {
        await using file = await open(partPath(delivery), 'r');
        await file.sync();
      });
    });
  }
}
