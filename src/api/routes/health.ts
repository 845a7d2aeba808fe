/** GET /healthz: the daemon is there, which one it is, and whether it can write down what it does. */
import type { FastifyInstance } from 'fastify';
import { ROUTES } from '../../protocol/routes.ts';
import type { HealthView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';

export function addHealth(api: FastifyInstance, { service, version, stateDir }: RouteDeps): void {
  api.route({
    method: ROUTES.health.method,
    url: ROUTES.health.path,
    handler: async (_request, reply): Promise<HealthView> => {
      const { readOnly, storeFailure } = await service.health();
      if (storeFailure !== undefined) reply.status(503);
      return {
        status: storeFailure === undefined ? 'ok' : 'failing',
        version,
        pid: process.pid,
        uptimeSeconds: Math.floor(process.uptime()),
        readOnly,
        store: storeFailure === undefined ? { ok: true } : { ok: false, message: storeFailure },
        ...(stateDir !== undefined && { stateDir }),
      };
    },
  });
}
