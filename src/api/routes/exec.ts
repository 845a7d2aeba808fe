/**
 * POST /v1/tasks/ID/exec: a command inside a task. Request and response are open at the same time and
 * carry frames (protocol/exec-frames.ts). Until the command runs a failure is an ordinary answer;
 * after that it is the last frame. When the client goes away the command is ended.
 */
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { EXEC_MEDIA_TYPE, FRAME, type Frame, FrameDecoder } from '../../protocol/exec-frames.ts';
import { execStart, readMessage } from '../../protocol/exec-messages.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';
import { talk } from '../exec-talk.ts';
import { paramOf } from '../request.ts';
import { goneSignal } from '../stream.ts';

export function addExec(api: FastifyInstance, deps: RouteDeps): void {
  // The body is a conversation: it ends when the command does.
  api.addContentTypeParser(EXEC_MEDIA_TYPE, (_request, payload, done) => {
    done(null, payload);
  });
  api.route({
    method: ROUTES.exec.method,
    url: ROUTES.exec.path,
    handler: async (request, reply) => {
      if (request.headers['content-type'] !== EXEC_MEDIA_TYPE) {
        throw new AppError('REQUEST_INVALID', `exec has Content-Type ${EXEC_MEDIA_TYPE}`);
      }
      reply.raw.once('close', deps.load.openStream());
      const gone = goneSignal(reply, deps);
      const frames = framesOf(request.body as Readable);
      const first = await frames.next();
      if (first.done === true || first.value.type !== FRAME.start) {
        throw new AppError('REQUEST_INVALID', 'exec: the first frame must be start');
      }
      const start = readMessage(execStart, first.value.payload);
      const session = await deps.service.exec(paramOf(request, 'id'), start, { signal: gone });
      reply.hijack();
      // A client that leaves the rest of its request unsent must not wait for this connection.
      reply.raw.shouldKeepAlive = false;
      reply.raw.writeHead(200, { 'content-type': EXEC_MEDIA_TYPE, 'cache-control': 'no-store' });
      reply.raw.flushHeaders();
      await talk({ raw: reply.raw, frames, session, gone, logger: deps.logger });
      return reply;
    },
  });
}

async function* framesOf(body: Readable): AsyncGenerator<Frame, undefined> {
  const decoder = new FrameDecoder();
  for await (const chunk of body) yield* decoder.feed(chunk as Buffer);
  if (!decoder.atRest) throw new AppError('REQUEST_INVALID', 'exec: the last frame is cut');
  return undefined;
}
