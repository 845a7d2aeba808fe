/**
 * The bed's registry behind a door of the test's own, which the hosts of the bed can reach: it answers
 * as it is told for some requests, then passes all on.
 */
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onHost, REGISTRY_PORT } from '../bed.ts';

export type Trouble =
  /** Refuses with this status. */
  | { kind: 'status'; status: number }
  /** Refuses until somebody logs in. */
  | { kind: 'login' }
  /** Half of the body, then the connection is cut. */
  | { kind: 'half' }
  /** As long as it should be, but for one byte another. */
  | { kind: 'wrong' }
  /** All of it, a piece at a time. */
  | { kind: 'slow'; pieceBytes: number; pauseMs: number };

export interface RegistryProxy extends AsyncDisposable {
  /** As a host of the bed names it: address and port. */
  readonly name: string;
  /** The next `times` requests whose path holds `part` get trouble. */
  spoil(part: string, times: number, trouble: Trouble): void;
  /** How many were spoilt so far. */
  spoilt(): number;
}

/** With a `login` (user:password) it lets in nobody else. */
export async function startRegistryProxy({
  login,
}: {
  login?: string;
} = {}): Promise<RegistryProxy> {
  const pass = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  let trouble: { part: string; left: number; trouble: Trouble } | undefined;
  let count = 0;
  const server = createServer((asked, answer) => {
    const now = trouble;
    const closed = pass !== undefined && asked.headers.authorization !== pass;
    const spoils = now !== undefined && now.left > 0 && asked.url?.includes(now.part) === true;
    if (spoils) {
      now.left -= 1;
      count += 1;
    }
    const act = closed ? ({ kind: 'login' } as const) : spoils ? now.trouble : undefined;
    asked.resume();
    if (act?.kind === 'status') {
      answer.writeHead(act.status, { 'retry-after': '0' });
      answer.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"later"}]}');
      return;
    }
    if (act?.kind === 'login') {
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="bed"' });
      answer.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
      return;
    }
    const { method, url: path } = asked;
    const { authorization: _, ...headers } = asked.headers;
    const onward = request({ host: '127.0.0.1', port: REGISTRY_PORT, method, path, headers });
    onward.on('error', () => answer.destroy());
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('end', () => void send(answer, Buffer.concat(chunks), act));
    });
    onward.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    name: `${await gateway()}:${port}`,
    spoil: (part, times, what) => {
      trouble = { part, left: times, trouble: what };
    },
    spoilt: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send(answer: ServerResponse, body: Buffer, act: Trouble | undefined): Promise<void> {
  if (act?.kind === 'half') {
    answer.write(body.subarray(0, body.length >> 1), () => answer.destroy());
    return;
  }
  if (act?.kind === 'wrong' && body.length > 0)
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
  if (act?.kind === 'slow') {
    for (let from = 0; from < body.length && !answer.destroyed; from += act.pieceBytes) {
      answer.write(body.subarray(from, from + act.pieceBytes));
      await new Promise((resolve) => setTimeout(resolve, act.pauseMs));
    }
    answer.end();
    return;
  }
  answer.end(body);
}

/** This machine, as the hosts of the bed see it. */
async function gateway(): Promise<string> {
  const routes = await onHost('vm', 'cat', '/proc/net/route');
  const line = routes.split('\n').find((row) => row.split('\t')[1] === '00000000');
  const bytes = Buffer.from(line?.split('\t')[2] ?? '', 'hex').toReversed();
  if (bytes.length !== 4) throw new Error(`the host has no way out: ${routes}`);
  return [...bytes].join('.');
}
