/** POST /v1/hosts/NAME/doctor: one finding a line as they come, the summary last. */
import type { FastifyInstance } from 'fastify';
import type { Finding } from '../../domain/finding.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { DoctorView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf } from '../request.ts';
import { sendStream } from '../stream.ts';

export function addDoctor(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.doctor.method,
    url: ROUTES.doctor.path,
    handler: async (request, reply) => {
      const host = paramOf(request, 'name');
      return sendStream(reply, {
        contentType: 'application/x-ndjson',
        deps,
        open: async () => lines(host, deps.service.doctor(host)),
      });
    },
  });
}

async function* lines(host: string, findings: AsyncIterable<Finding>): AsyncGenerator<string> {
  const counts = { ok: 0, warning: 0, failure: 0, skipped: 0 };
  for await (const finding of findings) {
    counts[finding.level] += 1;
    yield line({ type: 'finding', ...finding });
  }
  const { ok, warning: warnings, failure: failures, skipped } = counts;
  yield line({ type: 'summary', host, ok, warnings, failures, skipped });
}

function line(view: DoctorView): string {
  return `${JSON.stringify(view)}\n`;
}
