/**
 * Streams without an end known beforehand. The response ends properly only when the source ended by
 * itself; in every other case the connection is cut, so that the client knows it has not seen all.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { RouteDeps } from './deps.ts';

interface StreamPlan {
  contentType: string;
  deps: RouteDeps;
  /** Opens the source; what it throws is answered as an ordinary error. */
  open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array | string>>;
}

/** Sends a source with backpressure; the signal it is opened with aborts when the client goes away. */
export async function sendStream(reply: FastifyReply, plan: StreamPlan): Promise<FastifyReply> {
  const gone = goneSignal(reply, plan.deps);
  const leave = plan.deps.load.openStream();
  reply.raw.once('close', leave);
  const source = await plan.open(gone);
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': plan.contentType, 'cache-control': 'no-store' });
  raw.flushHeaders();
  await pump(reply, { source, gone, deps: plan.deps });
  return reply;
}

interface Pumping {
  source: AsyncIterable<Uint8Array | string>;
  gone: AbortSignal;
  deps: RouteDeps;
  /** How many there must be, where the head has said so. */
  bytes?: number;
}

/** Sends what a source gives as the body, with backpressure; a body that is not whole is cut. Never rejects. */
export async function pump(
  { raw, request }: FastifyReply,
  { source, gone, deps, bytes }: Pumping,
): Promise<void> {
  let sent = 0;
  try {
    for await (const chunk of source) {
      if (gone.aborted) break;
      sent += chunk.length;
      if (!raw.write(chunk)) await drained(raw, gone);
    }
    if (gone.aborted || (bytes ?? sent) !== sent) raw.destroy();
    else raw.end();
  } catch (error) {
    if (!gone.aborted) deps.logger.warn({ err: error, url: request.url }, 'stream broke');
    raw.destroy();
  }
}

/** Aborts when the client closes its end or the API shuts down. */
export function goneSignal(reply: FastifyReply, deps: RouteDeps): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, deps.closing]);
}

/** Waits until the client has taken what was written, or has gone. */
export async function drained(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(raw, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
