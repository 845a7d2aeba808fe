/** Reads the parts of a request by the schemas of protocol/. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { parseWith } from '../protocol/explain.ts';

/** The query by its schema. @throws REQUEST_INVALID naming the field */
export function queryOf<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  return parseWith(schema, request.query, { code: 'REQUEST_INVALID', where: 'query' });
}

/** The JSON body by its schema; no body counts as an empty object. @throws REQUEST_INVALID */
export function bodyOf<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  return parseWith(schema, request.body ?? {}, { code: 'REQUEST_INVALID', where: 'body' });
}

/** A part of the path; the router has checked that it is there. */
export function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}
