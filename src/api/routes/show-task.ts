/** GET /v1/tasks/ID: as it stands, or with wait=SECONDS once it has ended (or the time is over). */
import type { FastifyInstance } from 'fastify';
import { getQuery } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { TaskView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf, queryOf } from '../request.ts';
import { goneSignal } from '../stream.ts';
import { toTaskView } from '../task-view.ts';

export function addShowTask(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.getTask.method,
    url: ROUTES.getTask.path,
    handler: async (request, reply): Promise<TaskView> => {
      const { wait } = queryOf(request, getQuery);
      const id = paramOf(request, 'id');
      if (wait === undefined) return toTaskView(await deps.service.get(id));
      const signal = goneSignal(reply, deps);
      return toTaskView(await deps.service.wait(id, { timeoutMs: Math.ceil(wait * 1000), signal }));
    },
  });
}
