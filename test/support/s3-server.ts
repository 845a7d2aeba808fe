/**
 * An S3 server of a test's own on this machine: s3rver, which shares no code with what asks it. It does not look at
 * signatures, so that is done before a request gets there. scripts/test installs it in .testbed/s3rver. Objects are
 * looked at as the files it has them in. It gives no second page of a list: its tokens need a cipher that is gone.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { BED } from './bed.ts';
import { isSignedWith } from './s3-signature.ts';

interface S3rver {
  run(): Promise<AddressInfo>;
  httpServer: Server;
  close(): Promise<void>;
}
type MakeS3rver = new (options: {
  address: string;
  port: number;
  silent: boolean;
  directory: string;
  configureBuckets: { name: string }[];
}) => S3rver;

/** The only ones that it knows. */
export const S3_KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const SUFFIX = '._S3rver_object';

export interface S3Server extends AsyncDisposable {
  endpoint: string;
  /** The bytes of an object of the bucket `data`; undefined when there is none. */
  object(key: string): Buffer | undefined;
  /** Puts one there, as anybody may who does not sign. */
  put(key: string, bytes: string): Promise<void>;
  /** All its keys below a prefix. */
  keys(prefix?: string): string[];
}

export async function startS3Server(): Promise<S3Server> {
  const require = createRequire(import.meta.url);
  const Made = require(join(BED, 's3rver/node_modules/s3rver')) as MakeS3rver;
  const directory = mkdtempSync(join(tmpdir(), 'towline-s3-'));
  const bucket = join(directory, 'data');
  const server = new Made({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory },
    configureBuckets: [{ name: 'data' }],
  });
  const { port } = await server.run();
  refuseWronglySigned(server.httpServer);
  const pathOf = (key: string): string => join(bucket, `${key}${SUFFIX}`);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    object: (key) => (existsSync(pathOf(key)) ? readFileSync(pathOf(key)) : undefined),
    async put(key, body) {
      const path = key.split('/').map(encodeURIComponent).join('/');
      const endpoint = `http://127.0.0.1:${port}/data/${path}`;
      const { ok, status } = await fetch(endpoint, { method: 'PUT', body });
      if (!ok) throw new Error(`the S3 server answered ${status}`);
    },
    keys: (prefix = '') =>
      readdirSync(bucket, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile() && file.name.endsWith(SUFFIX))
        .map((file) => relative(bucket, join(file.parentPath, file.name)).slice(0, -SUFFIX.length))
        .filter((key) => key.startsWith(prefix))
        .sort(),
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

function refuseWronglySigned(server: Server): void {
  const [answer] = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isSignedWith(S3_KEYS.secretAccessKey, request)) answer?.call(server, request, response);
    else {
      request.resume();
      response.writeHead(403).end(`<Error><Code>SignatureDoesNotMatch</Code>
        <Message>The request signature does not match</Message></Error>`);
    }
  });
}
