/** From AppError to HTTP, by the registry; from fastify's own errors to AppError. */
import type { FastifyError, FastifyInstance } from 'fastify';
import { ERRORS } from '../domain/error-registry.ts';
import { AppError, isAppError } from '../domain/failure.ts';
import type { ErrorView } from '../protocol/views.ts';
import type { Logger } from './deps.ts';

/** Codes that describe a task's fate have 200 in the registry; as the answer of a request they are the host's fault. */
const BAD_GATEWAY = 502;

/** Installs the only places where a failure becomes a response. */
export function installErrors(api: FastifyInstance, logger: Logger): void {
  api.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = translate(thrown);
    if (error.code === 'INTERNAL') {
      logger.error({ err: thrown, method: request.method, url: request.url }, 'request failed');
    }
    return reply.code(statusOf(error, thrown)).send(errorBody(error));
  });
  api.setNotFoundHandler((request, reply) => {
    const error = new AppError('ROUTE_NOT_FOUND', `no route ${request.method} ${request.url}`);
    return reply.code(ERRORS.ROUTE_NOT_FOUND.http).send(errorBody(error));
  });
}

export function errorBody(error: AppError): ErrorView {
  const { context, ...record } = error.toRecord();
  const known = Object.entries(context).filter(([, value]) => value !== undefined);
  return { error: { ...record, context: Object.fromEntries(known) as Record<string, string> } };
}

/** What fastify refuses by itself (syntax, size, media type) carries a 4xx; the rest is a bug. */
function translate(thrown: FastifyError): AppError {
  if (isAppError(thrown)) return thrown;
  const status = thrown.statusCode ?? 500;
  const code = status >= 400 && status < 500 ? 'REQUEST_INVALID' : 'INTERNAL';
  return new AppError(code, thrown.message, { cause: thrown });
}

function statusOf(error: AppError, thrown: FastifyError): number {
  const { http } = ERRORS[error.code];
  if (error.code === 'REQUEST_INVALID') return thrown.statusCode ?? http;
  return http >= 400 ? http : BAD_GATEWAY;
}
