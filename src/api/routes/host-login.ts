/** POST /v1/hosts/NAME/login: one step of a login. Answers are secrets: they go on and are not kept. */
import type { FastifyInstance } from 'fastify';
import { loginBody } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { LoginView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { bodyOf, paramOf } from '../request.ts';
import { goneSignal } from '../stream.ts';
import { toHostView } from '../views.ts';

export function addHostLogin(api: FastifyInstance, deps: RouteDeps): void {
  api.route({
    method: ROUTES.loginHost.method,
    url: ROUTES.loginHost.path,
    handler: async (request, reply): Promise<LoginView> => {
      const body = bodyOf(request, loginBody);
      const signal = goneSignal(reply, deps);
      const step = await deps.service.login(paramOf(request, 'name'), body, { signal });
      if (step.done) return { done: true, host: toHostView(step.host) };
      const { host: asking, ...question } = step.question;
      return { done: false, session: step.session, asking, ...question };
    },
  });
}
