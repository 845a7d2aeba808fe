/** What every route is given. */
import type { FastifyInstance } from 'fastify';
import type { Service } from '../engine/service.ts';
import type { SpecDefaults } from '../protocol/parse-spec.ts';
import type { Load } from './load.ts';

/** The part of pino that the door uses. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface TesSettings {
  /** Absent: not set. */
  roots?: readonly string[] | undefined;
  organization?: string | undefined;
  organizationUrl?: string | undefined;
}

export interface ApiOptions {
  service: Service;
  logger: Logger;
  version: string;
  /** Asked for each task, so that a reload of the configuration counts at once. */
  specDefaults: () => SpecDefaults;
  /** What [tes] says of it; asked for each request. */
  tes?: () => TesSettings;
  /** Told by /healthz. */
  stateDir?: string | undefined;
  /** Where POST /v1/uploads keeps bytes; without it there are no uploads. */
  uploadDir?: string | undefined;
}

export interface RouteDeps extends ApiOptions {
  load: Load;
  /** Aborted when the API closes: follows end, but not as if they were complete. */
  closing: AbortSignal;
}

export type AddRoute = (api: FastifyInstance, deps: RouteDeps) => void;
