/** POST /v1/gc: removes what ended tasks left, and uploads that no task needs any more. */
import type { FastifyInstance } from 'fastify';
import { gcBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { GcView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf } from '../request.ts';
import { sweepUploads } from '../uploads.ts';

export function addGc(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.gc.method,
    url: ROUTES.gc.path,
    handler: async (request): Promise<GcView> => {
      const { olderThanMs, dryRun = false } = bodyOf(request, gcBody);
      const report = await deps.service.gc({ olderThanMs, dryRun });
      if (!dryRun && deps.uploadDir !== undefined) await sweepUploads(deps.uploadDir, deps.service);
      return report;
    },
  });
}
