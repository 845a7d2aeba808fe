/** GET /v1/tasks/ID/logs/STREAM: raw bytes from an offset; with follow until the stream is complete. */
import type { FastifyInstance } from 'fastify';
import { parseWith } from '../../protocol/explain.ts';
import { logsQuery, streamParam } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf, queryOf } from '../request.ts';
import { sendStream } from '../stream.ts';

export function addLogs(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.logs.method,
    url: ROUTES.logs.path,
    handler: async (request, reply) => {
      const { offset = 0, follow = false, attempt } = queryOf(request, logsQuery);
      const asked = { code: 'REQUEST_INVALID', where: 'stream' } as const;
      const stream = parseWith(streamParam, paramOf(request, 'stream'), asked);
      return sendStream(reply, {
        contentType: 'application/octet-stream',
        deps,
        open: (signal) =>
          deps.service.logs(paramOf(request, 'id'), stream, { offset, follow, attempt, signal }),
      });
    },
  });
}
