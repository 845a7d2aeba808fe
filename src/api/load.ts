/**
 * How much at once: requests under way, streams that are followed, bytes of bodies held in memory. What
 * is beyond is refused at once and clearly; nothing of it waits in a queue.
 */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../domain/failure.ts';
import {
  BODIES_BYTES_MAX,
  BODY_BYTES_MAX,
  CONNECTIONS_MAX,
  REQUESTS_MAX,
  STREAMS_MAX,
} from '../protocol/limits.ts';

export interface Load {
  /** Takes a place for a stream; gives the way to leave it. @throws DAEMON_BUSY */
  openStream: () => () => void;
}

/** Counts what is under way and refuses what is too much. Sockets beyond CONNECTIONS_MAX are closed. */
export function installLoad(api: FastifyInstance): Load {
  api.server.maxConnections = CONNECTIONS_MAX;
  let requests = 0;
  let bodies = 0;
  let streams = 0;
  api.addHook('onRequest', async ({ headers }, { raw }) => {
    const bytes = heldBytes(headers);
    requests += 1;
    bodies += bytes;
    raw.once('close', () => {
      requests -= 1;
      bodies -= bytes;
    });
    if (requests > REQUESTS_MAX) throw busy(`${REQUESTS_MAX} requests are under way`);
    if (bodies > BODIES_BYTES_MAX) {
      throw busy(`the bodies of requests under way hold ${BODIES_BYTES_MAX} bytes`);
    }
  });
  return {
    openStream() {
      if (streams >= STREAMS_MAX) throw busy(`${STREAMS_MAX} streams are followed`);
      streams += 1;
      return () => void (streams -= 1);
    },
  };
}

/**
 * A body that does not say how long it is may be as long as one can be; other types are streams. Many clients name a type
 * where there is no body at all.
 */
function heldBytes(headers: Record<string, string | string[] | undefined>): number {
  const type = String(headers['content-type'] ?? '');
  if (!/^application\/(json|x-ndjson)\b/i.test(type)) return 0;
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined ? 0 : BODY_BYTES_MAX;
  return Math.min(Number(length) || 0, BODY_BYTES_MAX);
}

function busy(why: string): AppError {
  return new AppError('DAEMON_BUSY', `${why}, which is the most there can be`);
}
