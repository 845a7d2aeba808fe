/** TES over TCP: the same routes below /ga4gh/tes/v1 and /v1, for those who have a token. Nothing else of the door is here. */
import { type FastifyInstance, fastify } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { BODY_BYTES_MAX, HEADERS_BYTES_MAX } from '../../protocol/limits.ts';
import { installErrors } from '../errors.ts';
import { installLoad } from '../load.ts';
import { authorise } from './auth.ts';
import type { TesDeps } from './deps.ts';
import { addTesRoutes } from './routes.ts';

export interface TesListenerOptions extends TesDeps {
  /** `ADDRESS:PORT`; port 0 takes a free one. */
  endpoint: string;
  /** Names of this machine, beside the address and localhost. */
  names: readonly string[];
  tokenFile: string;
  /** As PEM. */
  tls?: { cert: Buffer; key: Buffer } | undefined;
}

const BASES = ['/ga4gh/tes/v1', '/v1'] as const;
const KEEP_ALIVE_MS = 75_000;
/** A request must be whole by then: who sends slowly holds nothing for ever. */
const REQUEST_MS = 60_000;

/** Listens. Closing what it gives ends it. @throws TES_LISTEN_FAILED */
export async function listenTes(options: TesListenerOptions): Promise<FastifyInstance> {
  let api: FastifyInstance | undefined;
  try {
    api = createTesApi(options);
    await api.listen(endpointOf(options.endpoint));
    return api;
  } catch (error) {
    await api?.close();
    throw listenFailed(options.endpoint, error);
  }
}

function createTesApi(options: TesListenerOptions): FastifyInstance {
  const api = fastify({
    bodyLimit: BODY_BYTES_MAX,
    http: { maxHeaderSize: HEADERS_BYTES_MAX },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    logger: false,
    routerOptions: { maxParamLength: 200 },
    ...(options.tls !== undefined && { https: options.tls }),
  }) as unknown as FastifyInstance;
  const known = knownNames(options);
  api.addHook('onRequest', async ({ headers }, reply) => {
    refuseForeign(headers, known);
    reply.header('cache-control', 'no-store');
    await authorise(headers.authorization, options.tokenFile).catch((error: unknown) => {
      reply.header('www-authenticate', 'Bearer, Basic realm="towline"');
      throw error;
    });
  });
  installLoad(api);
  api.removeContentTypeParser('text/plain');
  installErrors(api, options.logger);
  for (const prefix of BASES) {
    void api.register((scope) => addTesRoutes(scope, options), { prefix });
  }
  return api;
}

/** A web page has no business here, nor has a name that somebody let point here. */
function refuseForeign(
  { origin, host = '' }: { origin?: string | undefined; host?: string | undefined },
  known: ReadonlySet<string>,
): void {
  if (origin !== undefined) {
    throw new AppError('REQUEST_INVALID', 'requests with an Origin header are refused');
  }
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (known.has(name)) return;
  throw new AppError(
    'REQUEST_INVALID',
    `requests for ${JSON.stringify(name)} are refused; see [tes] names`,
  );
}

function knownNames({ endpoint, names }: TesListenerOptions): Set<string> {
  const { host } = endpointOf(endpoint);
  const address = host.includes(':') ? `[${host}]` : host;
  return new Set([
    address,
    'localhost',
    '127.0.0.1',
    '[::1]',
    ...names.map((name) => name.toLowerCase()),
  ]);
}

function endpointOf(endpoint: string): { host: string; port: number } {
  const at = endpoint.lastIndexOf(':');
  return {
    host: endpoint.slice(0, at).replace(/^\[|\]$/g, ''),
    port: Number(endpoint.slice(at + 1)),
  };
}

function listenFailed(endpoint: string, cause: unknown): AppError {
  const why = `cannot listen on ${endpoint}: ${(cause as Error).message}`;
  return new AppError('TES_LISTEN_FAILED', why, { cause });
}
