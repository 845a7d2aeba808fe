/** GET, POST and DELETE /v1/hosts/NAME/images, and POST …/images/prune. A pull answers when it is done. */
import type { FastifyInstance } from 'fastify';
import { imageReference, pruneBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { ImageView, PruneView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf, queryOf } from '../request.ts';
import { goneSignal } from '../stream.ts';
import { toImageView, toPruneView } from '../views.ts';

const PRUNE_AGE_MS = 30 * 86_400_000;

export function addImages(api: FastifyInstance, deps: RouteDeps): void {
  const { service } = deps;
  api.route({
    method: ROUTES.listImages.method,
    url: ROUTES.listImages.path,
    handler: async (request) => ({
      images: (await service.images(paramOf(request, 'name'))).map(toImageView),
    }),
  });
  api.route({
    method: ROUTES.pullImage.method,
    url: ROUTES.pullImage.path,
    handler: async (request, reply): Promise<ImageView> => {
      const { reference } = bodyOf(request, imageReference);
      const signal = goneSignal(reply, deps);
      return toImageView(await service.pullImage(paramOf(request, 'name'), reference, { signal }));
    },
  });
  api.route({
    method: ROUTES.removeImage.method,
    url: ROUTES.removeImage.path,
    handler: async (request) => {
      const { reference } = queryOf(request, imageReference);
      await service.removeImage(paramOf(request, 'name'), reference);
      return {};
    },
  });
  api.route({
    method: ROUTES.pruneImages.method,
    url: ROUTES.pruneImages.path,
    handler: async (request): Promise<PruneView> => {
      const { olderThanMs = PRUNE_AGE_MS, dryRun = true } = bodyOf(request, pruneBody);
      const name = paramOf(request, 'name');
      return toPruneView(await service.pruneImages(name, { olderThanMs, dryRun }), dryRun);
    },
  });
}
