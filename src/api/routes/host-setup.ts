/** POST /v1/hosts/NAME/apptainer: runs the set-up script there; what it says as NDJSON, its end last. */
import type { FastifyInstance } from 'fastify';
import type { SetupNews } from '../../engine/service.ts';
import { setupBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf } from '../request.ts';
import { sendStream } from '../stream.ts';

export function addHostSetup(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.setupApptainer.method,
    url: ROUTES.setupApptainer.path,
    handler: async (request, reply) => {
      const body = bodyOf(request, setupBody);
      const host = paramOf(request, 'name');
      return sendStream(reply, {
        contentType: 'application/x-ndjson',
        deps,
        open: async () => lines(await deps.service.setupApptainer(host, body)),
      });
    },
  });
}

async function* lines(all: AsyncIterable<SetupNews>): AsyncGenerator<string> {
  for await (const news of all) yield `${JSON.stringify(news)}\n`;
}
