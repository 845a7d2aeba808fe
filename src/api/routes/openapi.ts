/** GET /openapi.json: this interface as a document. */
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from '../../protocol/openapi.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';

export function addOpenApi(api: FastifyInstance, { version }: RouteDeps): void {
  let document: Record<string, unknown> | undefined;
  api.route({
    method: ROUTES.openapi.method,
    url: ROUTES.openapi.path,
    handler: async () => {
      document ??= openApiDocument(version);
      return document;
    },
  });
}
