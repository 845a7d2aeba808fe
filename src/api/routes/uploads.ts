/** POST /v1/uploads: keeps the bytes of the body in a file of the daemon, for a task submitted next. */

import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { UploadView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { storeUpload } from '../uploads.ts';

export function addUploads(api: FastifyInstance, { service, uploadDir }: RouteDeps): void {
  // The body is a stream: it may be larger than memory.
  api.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload);
  });
  api.route({
    method: ROUTES.upload.method,
    url: ROUTES.upload.path,
    handler: async (request, reply): Promise<UploadView> => {
      if (uploadDir === undefined) {
        throw new AppError('REQUEST_INVALID', 'this daemon takes no uploads');
      }
      if (!isStream(request.body)) {
        throw new AppError(
          'REQUEST_INVALID',
          'an upload has Content-Type application/octet-stream',
        );
      }
      await service.admitUpload();
      reply.code(201);
      return storeUpload(uploadDir, request.body);
    },
  });
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}
