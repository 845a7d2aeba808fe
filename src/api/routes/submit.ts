/** POST /v1/tasks: one task, a JSON array, or NDJSON; all or none. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/failure.ts';
import { IDEMPOTENCY_KEY_CHARS_MAX, SUBMIT_TASKS_MAX } from '../../protocol/limits.ts';
import { parseSpec } from '../../protocol/parse-spec.ts';
import { ROUTES } from '../../protocol/routes.ts';
import { hasControl } from '../../protocol/text-rules.ts';
import type { SubmitView } from '../../protocol/views.ts';
import type { RouteDeps } from '../deps.ts';
import { settleInputKinds } from '../input-kinds.ts';
import { toTaskView } from '../task-view.ts';

/** A body of several tasks, each still unparsed, with the name it has in messages. */
class TaskLines {
  readonly tasks: unknown[];
  constructor(tasks: unknown[]) {
    this.tasks = tasks;
  }
}

export function addSubmit(api: FastifyInstance, deps: RouteDeps): void {
  const ndjson = { parseAs: 'string' as const };
  api.addContentTypeParser('application/x-ndjson', ndjson, (_request, body, done) => {
    try {
      done(null, new TaskLines(parseLines(String(body))));
    } catch (error) {
      done(error as Error);
    }
  });
  api.route({
    method: ROUTES.submit.method,
    url: ROUTES.submit.path,
    handler: async (request, reply): Promise<SubmitView> => {
      const key = idempotencyKey(request);
      const defaults = deps.specDefaults();
      const parsed = bodyTasks(request.body).map(([task, where]) =>
        parseSpec(task, defaults, where),
      );
      const specs = await Promise.all(parsed.map(settleInputKinds));
      const { created, tasks } = await deps.service.submit(specs, key);
      reply.code(created ? 201 : 200);
      return { created, tasks: tasks.map(toTaskView) };
    },
  });
}

function bodyTasks(body: unknown): [task: unknown, where: string][] {
  const many = body instanceof TaskLines ? body.tasks : Array.isArray(body) ? body : undefined;
  if (many === undefined) return [[body, '']];
  if (many.length === 0) throw new AppError('REQUEST_INVALID', 'there is no task in the request');
  if (many.length > SUBMIT_TASKS_MAX) {
    throw new AppError(
      'REQUEST_INVALID',
      `${many.length} tasks in one request; at most ${SUBMIT_TASKS_MAX}`,
    );
  }
  return many.map((task: unknown, index) => [task, `tasks[${index}]`]);
}

function parseLines(text: string): unknown[] {
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
  return lines
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (error) {
        throw new AppError('REQUEST_INVALID', `line ${number}: ${(error as Error).message}`);
      }
    });
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  const bad = typeof key !== 'string' || key === '' || key.length > IDEMPOTENCY_KEY_CHARS_MAX;
  if (bad || hasControl(key)) {
    throw new AppError(
      'REQUEST_INVALID',
      `Idempotency-Key must have 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} printable characters`,
    );
  }
  return key;
}
