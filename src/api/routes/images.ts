/** GET, POST and DELETE /v1/hosts/NAME/images. A pull answers when it is done. */
import type { FastifyInstance } from 'fastify';
import { imageReference } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { ImageView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf, queryOf } from '../request.ts';
import { goneSignal } from '../stream.ts';
import { toImageView } from '../views.ts';

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
}
