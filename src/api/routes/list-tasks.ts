/** GET /v1/tasks: newest first, a page at a time. */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { parseWith } from '../../protocol/explain.ts';
import { LIST_LIMIT_DEFAULT } from '../../protocol/limits.ts';
import { listQuery, stateName } from '../../protocol/requests.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { TaskListView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { queryOf } from '../request.ts';
import { toTaskView } from '../task-view.ts';

export function addListTasks(api: FastifyInstance, { service }: RouteDeps): void {
  api.route({
    method: ROUTES.listTasks.method,
    url: ROUTES.listTasks.path,
    handler: async (request): Promise<TaskListView> => {
      const query = queryOf(request, listQuery);
      const { tasks, unreadable, cursor } = await service.list({
        states: statesOf(query.state),
        host: query.host,
        name: query.name,
        tags: tagsOf(query.tag),
        limit: query.limit ?? LIST_LIMIT_DEFAULT,
        cursor: query.cursor,
      });
      return {
        tasks: tasks.map(toTaskView),
        ...(unreadable !== undefined && { unreadable }),
        ...(cursor !== undefined && { cursor }),
      };
    },
  });
}

function statesOf(asked: string[] | undefined): string[] | undefined {
  const names = asked?.flatMap((text) => text.split(','));
  return names?.map((name) =>
    parseWith(stateName, name, { code: 'REQUEST_INVALID', where: 'query.state' }),
  );
}

function tagsOf(asked: string[] | undefined): Record<string, string> | undefined {
  if (asked === undefined) return undefined;
  const pairs = asked.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new AppError('REQUEST_INVALID', 'query.tag must be NAME=VALUE');
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}
