/** The bed's registry as tests see it: images nobody has pulled yet, and its own access log as the oracle. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BED, bedLog, REGISTRY_PORT } from './bed.ts';

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

/**
 * Pushes an image of its own: the bed's smallest one, and a layer with so many random megabytes that
 * fetching and packing it takes its time.
 */
export async function freshImage(megabytes = 0): Promise<FreshImage> {
  return pushImage(`t${randomBytes(6).toString('hex')}`, megabytes);
}

/** Another image gets the tag: the next who asks the registry hears of it. */
export async function moveTag({ name }: FreshImage): Promise<void> {
  await pushImage(name, 0);
}

async function pushImage(name: string, megabytes: number): Promise<FreshImage> {
  const manifest = (await (await ask('GET', 'busy/manifests/1')).json()) as Manifest;
  const config = (await (
    await ask('GET', `busy/blobs/${manifest.config.digest}`)
  ).json()) as Config;
  for (const { digest } of manifest.layers) {
    await ask('POST', `${name}/blobs/uploads/?mount=${digest}&from=busy`);
  }
  const layer = tarOf('usr/share/fresh', randomBytes(Math.max(64, megabytes << 20)));
  config.rootfs.diff_ids.push(digestOf(layer));
  manifest.layers.push({
    mediaType: LAYER,
    ...(await pushBlob(name, gzipSync(layer, { level: 1 }))),
  });
  Object.assign(manifest.config, await pushBlob(name, Buffer.from(JSON.stringify(config))));
  await ask('PUT', `${name}/manifests/1`, Buffer.from(JSON.stringify(manifest)), MANIFEST);
  return { name, reference: `docker://registry:5000/${name}:1` };
}

/** What the registry calls the image with this tag. */
export async function manifestDigest(name: string, tag = '1'): Promise<string> {
  const answer = await ask('HEAD', `${name}/manifests/${tag}`);
  return answer.headers.get('docker-content-digest') ?? '';
}

interface Blob {
  mediaType: string;
  size: number;
  digest: string;
}

interface Manifest {
  config: Blob;
  layers: Blob[];
}

interface Config {
  rootfs: { diff_ids: string[] };
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

async function ask(method: string, path: string, body?: Buffer, type = 'application/octet-stream') {
  const headers = { accept: MANIFEST, 'content-type': type };
  const url = path.startsWith('http') ? path : `http://127.0.0.1:${REGISTRY_PORT}/v2/${path}`;
  const sent = body === undefined ? {} : { body: new Uint8Array(body) };
  const answer = await fetch(url, { method, headers, ...sent });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function pushBlob(name: string, bytes: Buffer): Promise<{ size: number; digest: string }> {
  const digest = digestOf(bytes);
  const begun = await ask('POST', `${name}/blobs/uploads/`);
  const place = new URL(begun.headers.get('location') ?? '', begun.url);
  place.searchParams.set('digest', digest);
  await ask('PUT', place.href, bytes);
  return { size: bytes.length, digest };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A tar archive of one file. */
function tarOf(name: string, bytes: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  header.write(`${bytes.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
  header.write(`${' '.repeat(8)}0`, 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc(1024 + ((512 - (bytes.length % 512)) % 512));
  return Buffer.concat([header, bytes, padding]);
}

const ACCESS = /"(GET|HEAD) (\/v2\/\S*) HTTP\/[\d.]+" (\d{3}) /;

/** What was asked of the registry for one name; the push of the image itself only writes. */
export function requestsFor(name: string): RegistryRequest[] {
  return bedLog('registry')
    .split('\n')
    .flatMap((line) => {
      const match = ACCESS.exec(line);
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
