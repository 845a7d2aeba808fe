/** GET /v1/hosts and /v1/hosts/NAME. */
import type { FastifyInstance } from 'fastify';
import { hostQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { HostView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf, queryOf } from '../request.ts';
import { toHostView } from '../views.ts';

export function addHosts(api: FastifyInstance, { service }: RouteDeps): void {
  api.route({
    method: ROUTES.listHosts.method,
    url: ROUTES.listHosts.path,
    handler: async () => ({ hosts: service.hosts().map(toHostView) }),
  });
  api.route({
    method: ROUTES.getHost.method,
    url: ROUTES.getHost.path,
    handler: async (request): Promise<HostView> => {
      const { probe = false } = queryOf(request, hostQuery);
      return toHostView(await service.host(paramOf(request, 'name'), { probe }));
    },
  });
}
