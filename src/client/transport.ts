/** One request to the daemon: HTTP on the Unix socket, error bodies back into AppErrors. */
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { BODY_BYTES_MAX } from '../protocol/limits.ts';
import { type QueryValue, ROUTES, type RouteName, routePath } from '../protocol/routes.ts';
import type { UploadView } from '../protocol/views.ts';
import { connectionError, errorFromBody } from './errors.ts';
import { TowlineError } from './towline-error.ts';

/**
 * Not `import`: that reads every export of the module, and one of them loads a whole WebSocket
 * client, 40 ms of each start of the command line.
 */
const http = process.getBuiltinModule('node:http');

export interface CallOptions {
  params?: Record<string, string>;
  query?: Record<string, QueryValue>;
  body?: unknown;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal | undefined;
}

export interface Transport {
  readonly socketPath: string;
  /** @throws what the daemon says; DAEMON_NOT_RUNNING when it does not answer; the reason of the signal */
  call<T>(route: RouteName, options?: CallOptions): Promise<T>;
  text(route: RouteName): Promise<string>;
  /** The response once its head is here. Its body breaks with an error when the connection is cut. */
  open(route: RouteName, options?: CallOptions): Promise<IncomingMessage>;
  upload(bytes: Readable): Promise<UploadView>;
  close(): void;
}

interface Exchange extends CallOptions {
  route: RouteName;
  socketPath: string;
  agent: Agent;
}

/** What writing to a kept connection gives that the other side has closed. */
const CLOSED_CODES = new Set(['ECONNRESET', 'EPIPE']);

/** A transport over one socket; connections are kept and there is no limit on how many. */
export function createTransport(socketPath: string): Transport {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const open = (route: RouteName, options: CallOptions = {}) =>
    exchange({ ...options, route, socketPath, agent });
  const text = async (route: RouteName, options: CallOptions = {}) =>
    readText(await open(route, options), { ...options, socketPath });
  return {
    socketPath,
    open,
    text: (route) => text(route),
    async call<T>(route: RouteName, options?: CallOptions) {
      return JSON.parse(await text(route, options)) as T;
    },
    async upload(bytes) {
      return JSON.parse(await text('upload', { body: bytes })) as UploadView;
    },
    close: () => agent.destroy(),
  };
}

async function exchange(asked: Exchange): Promise<IncomingMessage> {
  const response = await send(asked);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw errorFromBody(await readText(response, asked), status);
}

function send(asked: Exchange): Promise<IncomingMessage> {
  const { route, socketPath, agent, params, query, body, signal } = asked;
  const stream = isStream(body) ? body : undefined;
  const json = body === undefined || stream ? undefined : Buffer.from(JSON.stringify(body));
  // The daemon would close the connection in the middle of it, which looks like a crash.
  if (json !== undefined && json.length > BODY_BYTES_MAX) {
    const text = `a request of ${json.length} bytes; at most ${BODY_BYTES_MAX}: submit in parts`;
    return Promise.reject(new TowlineError('REQUEST_INVALID', text));
  }
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      socketPath,
      agent,
      method: ROUTES[route].method,
      path: routePath(route, params, query),
      headers: {
        ...(json && { 'content-type': 'application/json', 'content-length': json.length }),
        ...(stream && { 'content-type': 'application/octet-stream' }),
        ...asked.headers,
      },
      ...(signal && { signal }),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      // A kept connection may have been closed by the other side just now; nothing was done with it.
      if (outgoing.reusedSocket && CLOSED_CODES.has(error.code ?? '') && !stream) {
        send(asked).then(resolve, reject);
      } else reject(signal?.aborted ? signal.reason : connectionError(error, socketPath));
    });
    if (stream === undefined) outgoing.end(json);
    else sendStream(stream, outgoing);
  });
}

function sendStream(stream: Readable, outgoing: ClientRequest): void {
  stream.once('error', (error) => outgoing.destroy(error));
  stream.pipe(outgoing);
}

async function readText(
  response: IncomingMessage,
  { socketPath, signal }: Pick<Exchange, 'socketPath' | 'signal'>,
): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(part as Buffer);
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionError(error as NodeJS.ErrnoException, socketPath);
  }
  return Buffer.concat(parts).toString('utf8');
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}
