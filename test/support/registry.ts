/** The bed's registry as tests see it: images nobody has pulled yet, and its own access log as the oracle. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED, bedLog, testbed } from './bed.ts';

export interface FreshImage {
  /** Name in the registry, never used before. */
  name: string;
  reference: string;
}

export interface RegistryRequest {
  method: string;
  path: string;
  status: number;
}

/** Pushes an image of its own, with so many random megabytes that pulling it takes its time. */
export async function freshImage(megabytes = 0): Promise<FreshImage> {
  const name = `t${randomBytes(6).toString('hex')}`;
  await testbed('image', `${name}:1`, String(megabytes));
  return { name, reference: `docker://registry:5000/${name}:1` };
}

const ACCESS = /"(GET|HEAD) (\/v2\/\S*) HTTP\/[\d.]+" (\d{3}) /;

/** What was asked of the registry for one name; the push of the image itself only writes. */
export function requestsFor(name: string): RegistryRequest[] {
  return bedLog('registry')
    .split('\n')
    .flatMap((line) => {
      // the engine that pushed it looks, too; only the runtime pulls
      const match = line.includes('docker/') ? null : ACCESS.exec(line);
      const [, method = '', path = '', status = ''] = match ?? [];
      return path.startsWith(`/v2/${name}/`) ? [{ method, path, status: Number(status) }] : [];
    });
}

/** How often each blob of an image was fetched. */
export function fetchesByBlob(name: string): Map<string, number> {
  const fetches = new Map<string, number>();
  for (const { method, path } of requestsFor(name)) {
    const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1];
    if (method === 'GET' && digest !== undefined)
      fetches.set(digest, (fetches.get(digest) ?? 0) + 1);
  }
  return fetches;
}

/** How often the counting runtime was started with a verb and these words. */
export function runtimeStarts(verb: 'exec' | 'pull', words: string): number {
  const file = join(BED, 'ledger', `runtime-${verb}.log`);
  if (!existsSync(file)) return 0;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(words)).length;
}

export const COUNTING_RUNTIME = '/opt/counting/apptainer';
