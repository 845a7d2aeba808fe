/**
 * The routes of GA4GH TES 1.1 below a base path: service-info, create, list, get, cancel. What comes in: documents and
 * queries, judged by protocol/tes. What goes out: replies of the specification, nothing else in them. Never here: how
 * tasks run. Read next: create-task.ts, view.ts.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { TaskId } from '../../domain/task.ts';
import type { DocumentQuery, DocumentRow } from '../../engine/service.ts';
import { parseWith } from '../../protocol/explain.ts';
import { tesListQuery, tesViewQuery } from '../../protocol/tes/requests.ts';
import { type TesView, tesDocumentSchema } from '../../protocol/tes/schema.ts';
import { kindsOf } from '../../protocol/tes/states.ts';
import { paramOf, queryOf } from '../request.ts';
import { createTask } from './create-task.ts';
import type { TesDeps } from './deps.ts';
import { printedBy } from './printed.ts';
import { serviceInfo } from './service-info.ts';
import { type TesMinimal, type TesTaskView, viewOf, wholeView } from './view.ts';

/** Adds the routes to a scope of their own, which has the base path as its prefix. */
export async function addTesRoutes(scope: FastifyInstance, deps: TesDeps): Promise<void> {
  takeEmptyBodies(scope);
  const { service, version, organization } = deps;
  const info = async () => serviceInfo(version, organization());
  scope.get('/service-info', info);
  scope.get('/tasks/service-info', info);
  scope.post('/tasks', async ({ body }) => ({ id: await createTask(deps, body) }));
  scope.get('/tasks', async (request) => {
    const query = queryOf(request, tesListQuery);
    const { rows, cursor } = await service.documents({
      namePrefix: query.name_prefix,
      states: query.state === undefined ? undefined : kindsOf(query.state),
      tags: zipped(query.tag_key, query.tag_value),
      bodies: query.view !== 'MINIMAL',
      limit: query.page_size,
      cursor: query.page_token || undefined,
    });
    const tasks = await Promise.all(rows.map((row) => shown(deps, row, query.view)));
    return {
      tasks: tasks.filter((task) => task !== undefined),
      ...(cursor !== undefined && { next_page_token: cursor }),
    };
  });
  scope.get('/tasks/:id', async (request) => {
    const { view } = queryOf(request, tesViewQuery);
    const row = await rowOf(deps, paramOf(request, 'id'), view !== 'MINIMAL');
    const task = await shown(deps, row, view);
    if (task === undefined) throw notFound(row.id);
    return task;
  });
  scope.post('/tasks/:act', async (request) => {
    await cancel(deps, cancelled(request));
    return {};
  });
}

/** Several clients say that they send JSON and send nothing. */
function takeEmptyBodies(scope: FastifyInstance): void {
  scope.removeContentTypeParser('application/json');
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (String(body).trim() === '') done(null, undefined);
    else void parse(request, String(body), done);
  });
}

/** One that is forgotten meanwhile is not shown. */
async function shown(
  { service }: TesDeps,
  row: DocumentRow,
  view: TesView,
): Promise<TesTaskView | TesMinimal | undefined> {
  try {
    return await viewOf(view, row, async (full) => {
      const report = await service.get(row.id);
      const document = parseWith(tesDocumentSchema, JSON.parse(row.body ?? ''), {
        code: 'STORE_CORRUPT',
        where: `the document of ${row.id}`,
      });
      return wholeView(report, document, full ? await printedBy(service, report) : undefined);
    });
  } catch (error) {
    if (isAppError(error) && error.code === 'TASK_NOT_FOUND') return undefined;
    throw error;
  }
}

async function rowOf({ service }: TesDeps, id: string, bodies: boolean): Promise<DocumentRow> {
  const { rows } = await service.documents({ id: id as TaskId, bodies, limit: 1 });
  const [row] = rows;
  if (row === undefined) throw notFound(id);
  return row;
}

/** The router takes all up to the next slash for a name: `ID:cancel`. */
function cancelled(request: FastifyRequest): string {
  const [, id] = /^(.+):cancel$/.exec(paramOf(request, 'act')) ?? [];
  if (id !== undefined) return id;
  throw new AppError('ROUTE_NOT_FOUND', `no route ${request.method} ${request.url}`);
}

/** What has ended stays as it is, and that is no error. @throws TASK_NOT_FOUND */
async function cancel(deps: TesDeps, id: string): Promise<void> {
  const row = await rowOf(deps, id, false);
  try {
    await deps.service.cancel(row.id);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
  }
}

/** By position; a key without a value, or with an empty one, matches any. @throws REQUEST_INVALID */
function zipped(keys: readonly string[], values: readonly string[]): DocumentQuery['tags'] {
  if (values.length > keys.length) {
    throw new AppError('REQUEST_INVALID', 'query.tag_value: there are more than of tag_key');
  }
  return keys.map((key, index) => ({ key, value: values[index] || undefined }));
}

function notFound(id: string): AppError {
  return new AppError('TASK_NOT_FOUND', `no task has the id ${id}`, { context: { task: id } });
}
