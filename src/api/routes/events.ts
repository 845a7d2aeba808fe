/** GET /v1/events: one JSON object a line, from a sequence number on; with follow also those to come. */
import type { FastifyInstance } from 'fastify';
import type { LiveEvent } from '../../engine/service.ts';
import { eventsQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';
import { queryOf } from '../request.ts';
import { sendStream } from '../stream.ts';
import { toEventView } from '../views.ts';

export function addEvents(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.events.method,
    url: ROUTES.events.path,
    handler: async (request, reply) => {
      const { since = 0, follow = false, task } = queryOf(request, eventsQuery);
      return sendStream(reply, {
        contentType: 'application/x-ndjson',
        deps,
        open: async (signal) => {
          // A prefix of an id will do here as elsewhere.
          const id = task === undefined ? undefined : (await deps.service.get(task)).task.id;
          return lines(deps.service.events({ since, follow, task: id, signal }));
        },
      });
    },
  });
}

async function* lines(events: AsyncIterable<LiveEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(toEventView(event))}\n`;
}
