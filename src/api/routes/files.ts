/** GET /v1/tasks/ID/files: a directory below the work directory of the attempt, on its host. */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { filesQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import { hasControl } from '../../protocol/text-rules.ts';
import type { FilesView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf, queryOf } from '../request.ts';

export function addFiles(api: FastifyInstance, { service }: RouteDeps): void {
  api.route({
    method: ROUTES.files.method,
    url: ROUTES.files.path,
    handler: async (request): Promise<FilesView> => {
      const { path = '' } = queryOf(request, filesQuery);
      if (path.startsWith('/') || path.split('/').includes('..') || hasControl(path)) {
        throw new AppError('REQUEST_INVALID', 'query.path must be below the work directory');
      }
      return { files: await service.files(paramOf(request, 'id'), path) };
    },
  });
}
