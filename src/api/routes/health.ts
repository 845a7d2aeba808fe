/** GET /healthz: the daemon is there, and which one it is. */
import type { FastifyInstance } from 'fastify';
import { ROUTES } from '../../protocol/routes.ts';
import type { HealthView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';

export function addHealth(api: FastifyInstance, { version, stateDir }: RouteDeps): void {
  api.route({
    method: ROUTES.health.method,
    url: ROUTES.health.path,
    handler: async (): Promise<HealthView> => ({
      status: 'ok',
      version,
      pid: process.pid,
      ...(stateDir !== undefined && { stateDir }),
    }),
  });
}
