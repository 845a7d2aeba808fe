/** GET /v1/tasks/ID/files/match and /content: what copies out of a task are made of. */
import type { FastifyInstance } from 'fastify';
import { insideQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { MatchedFilesView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf, queryOf } from '../request.ts';
import { goneSignal, pump } from '../stream.ts';

export function addInsideFiles(api: FastifyInstance, deps: RouteDeps): void {
  const { service } = deps;
  api.route({
    method: ROUTES.matchFiles.method,
    url: ROUTES.matchFiles.path,
    handler: async (request): Promise<MatchedFilesView> =>
      service.matchFiles(paramOf(request, 'id'), queryOf(request, insideQuery).path),
  });
  api.route({
    method: ROUTES.fileContent.method,
    url: ROUTES.fileContent.path,
    handler: async (request, reply) => {
      const gone = goneSignal(reply, deps);
      const { path } = queryOf(request, insideQuery);
      const file = await service.fileContent(paramOf(request, 'id'), path, { signal: gone });
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': file.size,
        'towline-sha256': file.sha256,
        'towline-mode': (file.mode & 0o777).toString(8),
        'cache-control': 'no-store',
      });
      await pump(reply, { source: file.bytes, gone, deps, bytes: file.size });
      return reply;
    },
  });
}
