/** POST /v1/hosts/NAME/pause, resume, drain, setup, forget. */
import type { FastifyInstance } from 'fastify';
import type { HostMode } from '../../domain/host-mode.ts';
import { forgetBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { ForgetView, HostView, SetupView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf } from '../request.ts';
import { toHostView } from '../views.ts';

const MODES: Record<'pauseHost' | 'resumeHost' | 'drainHost', HostMode> = {
  pauseHost: 'paused',
  resumeHost: 'open',
  drainHost: 'draining',
};

export function addHostActs(api: FastifyInstance, { service, specDefaults }: RouteDeps): void {
  for (const [name, mode] of Object.entries(MODES)) {
    const { method, path: url } = ROUTES[name as keyof typeof MODES];
    api.route({
      method,
      url,
      handler: async (request): Promise<HostView> =>
        toHostView(await service.setHostMode(paramOf(request, 'name'), mode)),
    });
  }
  api.route({
    method: ROUTES.forgetHost.method,
    url: ROUTES.forgetHost.path,
    handler: async (request): Promise<ForgetView> => {
      const { dryRun = true } = bodyOf(request, forgetBody);
      const { imageCacheDir, ...rest } = await service.forgetHost(paramOf(request, 'name'), {
        dryRun,
      });
      return { ...rest, ...(imageCacheDir !== undefined && { imageCacheDir }) };
    },
  });
  api.route({
    method: ROUTES.setupHost.method,
    url: ROUTES.setupHost.path,
    handler: async (request): Promise<SetupView> => {
      const host = toHostView(await service.setupHost(paramOf(request, 'name')));
      const image = specDefaults().images?.[0];
      return { host, ...(image !== undefined && { image }) };
    },
  });
}
