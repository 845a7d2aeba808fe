/** POST /v1/tasks/ID/cancel|retry|hold|release. */
import type { FastifyInstance } from 'fastify';
import { ROUTES } from '../../protocol/routes.ts';
import type { TaskView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { paramOf } from '../request.ts';
import { toTaskView } from '../task-view.ts';

const ACTS = ['cancel', 'retry', 'hold', 'release'] as const;

export function addTaskActs(api: FastifyInstance, { service }: RouteDeps): void {
  for (const act of ACTS) {
    api.route({
      method: ROUTES[act].method,
      url: ROUTES[act].path,
      handler: async (request): Promise<TaskView> =>
        toTaskView(await service[act](paramOf(request, 'id'))),
    });
  }
}
