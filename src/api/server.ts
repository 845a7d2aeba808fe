/**
 * The door. What comes in: HTTP requests on a Unix socket, judged by the schemas of protocol/. What
 * goes out: views, raw streams, errors of the registry as HTTP. Never here: decisions about tasks
 * (engine/service.ts has them), printing. Read next: routes/, stream.ts, errors.ts, socket.ts.
 */

import { type FastifyInstance, fastify } from 'fastify';
import { AppError } from '../domain/failure.ts';
import { BODY_BYTES_MAX, HEADERS_BYTES_MAX } from '../protocol/limits.ts';
import type { AddRoute, ApiOptions, TesSettings } from './deps.ts';
import { installErrors } from './errors.ts';
import { installLoad } from './load.ts';
import { addDoctor } from './routes/doctor.ts';
import { addEvents } from './routes/events.ts';
import { addExec } from './routes/exec.ts';
import { addFiles } from './routes/files.ts';
import { addGc } from './routes/gc.ts';
import { addHealth } from './routes/health.ts';
import { addHostActs } from './routes/host-acts.ts';
import { addHostLogin } from './routes/host-login.ts';
import { addHostSetup } from './routes/host-setup.ts';
import { addHostTrust } from './routes/host-trust.ts';
import { addHosts } from './routes/hosts.ts';
import { addImages } from './routes/images.ts';
import { addInsideFiles } from './routes/inside-files.ts';
import { addListTasks } from './routes/list-tasks.ts';
import { addLogs } from './routes/logs.ts';
import { addMetrics } from './routes/metrics.ts';
import { addOpenApi } from './routes/openapi.ts';
import { addPlan } from './routes/plan.ts';
import { addShowTask } from './routes/show-task.ts';
import { addSubmit } from './routes/submit.ts';
import { addTaskActs } from './routes/task-acts.ts';
import { addUploads } from './routes/uploads.ts';
import type { Roots } from './tes/local-files.ts';
import { addTesRoutes } from './tes/routes.ts';
import { organizationOf } from './tes/service-info.ts';

const ROUTE_FILES: AddRoute[] = [
  addSubmit,
  addPlan,
  addListTasks,
  addShowTask,
  addLogs,
  addTaskActs,
  addFiles,
  addExec,
  addInsideFiles,
  addEvents,
  addHosts,
  addDoctor,
  addHostActs,
  addHostSetup,
  addHostLogin,
  addImages,
  addHostTrust,
  addUploads,
  addGc,
  addHealth,
  addMetrics,
  addOpenApi,
];

const TES_BASE = '/ga4gh/tes/v1';
/** Longer than any idle client waits; a closed idle connection would cost it a retry. */
const KEEP_ALIVE_MS = 600_000;

/** The API, not yet listening. Closing it cuts the streams that are followed. */
export function createApi(options: ApiOptions): FastifyInstance {
  const api = fastify({
    bodyLimit: BODY_BYTES_MAX,
    http: { maxHeaderSize: HEADERS_BYTES_MAX },
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    logger: false,
    routerOptions: { maxParamLength: 200 },
  });
  const closing = new AbortController();
  api.addHook('preClose', (done) => {
    closing.abort();
    done();
  });
  api.addHook('onRequest', refuseBrowsers);
  const load = installLoad(api);
  acceptOnlyJson(api);
  installErrors(api, options.logger);
  for (const add of ROUTE_FILES) add(api, { ...options, closing: closing.signal, load });
  void api.register(addTesRoutesHere(options), { prefix: TES_BASE });
  return api;
}

/** Who reaches the socket may do as the user: without roots of [tes] every file may be named. */
function addTesRoutesHere(options: ApiOptions): (scope: FastifyInstance) => Promise<void> {
  const tes = (): TesSettings => options.tes?.() ?? {};
  const roots = (): Roots => tes().roots ?? 'any';
  const organization = () => organizationOf(tes());
  return (scope) => addTesRoutes(scope, { ...options, roots, organization });
}

/** No web page has business here, whatever brought its request to the socket. */
async function refuseBrowsers(request: {
  headers: { origin?: string | undefined };
}): Promise<void> {
  if (request.headers.origin !== undefined) {
    throw new AppError('REQUEST_INVALID', 'requests with an Origin header are refused');
  }
}

/** Fastify would also take text/plain, which a web form can send. */
function acceptOnlyJson(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  const parser = api.getDefaultJsonParser('error', 'error');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, parser);
}
