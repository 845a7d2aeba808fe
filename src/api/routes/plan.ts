/** POST /v1/plan: the script and plan of a task; nothing is executed. */
import type { FastifyInstance } from 'fastify';
import { parseSpec } from '../../protocol/parse-spec.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { PlanView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { settleInputKinds } from '../input-kinds.ts';

export function addPlan(api: FastifyInstance, { service, specDefaults }: RouteDeps): void {
  api.route({
    method: ROUTES.plan.method,
    url: ROUTES.plan.path,
    handler: async (request): Promise<PlanView> =>
      service.plan(await settleInputKinds(parseSpec(request.body, specDefaults()))),
  });
}
