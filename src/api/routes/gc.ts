/** POST /v1/gc: removes what is not needed any more. GET /v1/gc: what was removed, and when. */
import type { FastifyInstance } from 'fastify';
import { REMOVALS_DEFAULT } from '../../protocol/limits.ts';
import { gcBody, gcQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { GcHistoryView, GcView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, queryOf } from '../request.ts';
import { iso } from '../view-parts.ts';

export function addGc(api: FastifyInstance, { service }: RouteDeps): void {
  api.route({
    method: ROUTES.gc.method,
    url: ROUTES.gc.path,
    handler: async (request): Promise<GcView> => {
      const { dryRun = false, ...rest } = bodyOf(request, gcBody);
      const report = await service.gc({ ...rest, dryRun });
      const removed = report.removed.map(({ kind, what, host, count, bytes }) => ({
        ...{ kind, what, host, count, bytes },
      }));
      return { ...report, dryRun, removed };
    },
  });
  api.route({
    method: ROUTES.gcHistory.method,
    url: ROUTES.gcHistory.path,
    handler: async (request): Promise<GcHistoryView> => {
      const { limit = REMOVALS_DEFAULT } = queryOf(request, gcQuery);
      const removals = await service.removals(limit);
      return { removals: removals.map((line) => ({ ...line, at: iso(line.at) })) };
    },
  });
}
