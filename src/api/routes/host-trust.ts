/** POST /v1/hosts/NAME/trust: the keys a host offers; with fingerprints they are pinned. */
import type { FastifyInstance } from 'fastify';
import { trustBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { HostTrustView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf } from '../request.ts';

export function addHostTrust(api: FastifyInstance, { service }: RouteDeps): void {
  api.route({
    method: ROUTES.trustHost.method,
    url: ROUTES.trustHost.path,
    handler: async (request): Promise<HostTrustView> => {
      const { fingerprint, replace = false } = bodyOf(request, trustBody);
      const host = paramOf(request, 'name');
      const pin = fingerprint && { fingerprints: fingerprint, replace };
      return { host, ...(await service.trust(host, pin)) };
    },
  });
}
