/** The interface as an OpenAPI document, made from the route table and the schemas. */
import { z } from 'zod';
import { EXEC_MEDIA_TYPE } from './exec-frames.ts';
import * as requests from './requests.ts';
import { ROUTES, type RouteName } from './routes.ts';
import { taskSpecSchema } from './spec-schema.ts';
import * as views from './views.ts';

interface Shape {
  query?: z.ZodObject;
  body?: { type: string; schema: z.ZodType }[];
  /** A schema, or the media type of raw bytes. */
  answer: z.ZodType | string;
}

const JSON_TYPE = 'application/json';
const tasks = z.union([taskSpecSchema, z.array(taskSpecSchema)]);

const SHAPES: Record<RouteName, Shape> = {
  submit: {
    body: [
      { type: JSON_TYPE, schema: tasks },
      { type: 'application/x-ndjson', schema: taskSpecSchema },
    ],
    answer: views.submitView,
  },
  plan: { body: [{ type: JSON_TYPE, schema: taskSpecSchema }], answer: views.planView },
  listTasks: { query: requests.listQuery, answer: views.taskListView },
  getTask: { query: requests.getQuery, answer: views.taskView },
  logs: { query: requests.logsQuery, answer: 'application/octet-stream' },
  cancel: { answer: views.taskView },
  retry: { answer: views.taskView },
  hold: { answer: views.taskView },
  release: { answer: views.taskView },
  files: { query: requests.filesQuery, answer: views.filesView },
  matchFiles: { query: requests.insideQuery, answer: views.matchedFilesView },
  fileContent: { query: requests.insideQuery, answer: 'application/octet-stream' },
  exec: {
    body: [{ type: EXEC_MEDIA_TYPE, schema: z.string() }],
    answer: EXEC_MEDIA_TYPE,
  },
  events: { query: requests.eventsQuery, answer: 'application/x-ndjson' },
  listHosts: { answer: views.hostListView },
  getHost: { query: requests.hostQuery, answer: views.hostView },
  pauseHost: { answer: views.hostView },
  resumeHost: { answer: views.hostView },
  drainHost: { answer: views.hostView },
  forgetHost: {
    body: [{ type: JSON_TYPE, schema: requests.forgetBody }],
    answer: views.forgetView,
  },
  setupHost: { answer: views.setupView },
  setupApptainer: {
    body: [{ type: JSON_TYPE, schema: requests.setupBody }],
    answer: 'application/x-ndjson',
  },
  trustHost: {
    body: [{ type: JSON_TYPE, schema: requests.trustBody }],
    answer: views.hostTrustView,
  },
  doctor: { answer: 'application/x-ndjson' },
  loginHost: {
    body: [{ type: JSON_TYPE, schema: requests.loginBody }],
    answer: views.loginView,
  },
  listImages: { answer: views.imageListView },
  pullImage: {
    body: [{ type: JSON_TYPE, schema: requests.imageReference }],
    answer: views.imageView,
  },
  removeImage: { query: requests.imageReference, answer: z.object({}) },
  pruneImages: {
    body: [{ type: JSON_TYPE, schema: requests.pruneBody }],
    answer: views.pruneView,
  },
  upload: {
    body: [{ type: 'application/octet-stream', schema: z.string() }],
    answer: views.uploadView,
  },
  gc: { body: [{ type: JSON_TYPE, schema: requests.gcBody }], answer: views.gcView },
  gcHistory: { query: requests.gcQuery, answer: views.gcHistoryView },
  health: { answer: views.healthView },
  metrics: { answer: 'text/plain' },
  openapi: { answer: z.object({}) },
};

/** A whole OpenAPI 3.1 document; the same input gives the same text. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(ROUTES)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(name as RouteName);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Towline',
      version,
      description: 'HTTP/1.1 on a Unix socket. Requests with an Origin header are refused.',
    },
    paths,
    components: { schemas: components() },
  };
}

function operation(name: RouteName): Record<string, unknown> {
  const shape = SHAPES[name];
  const parameters = [...pathParameters(name), ...queryParameters(shape)];
  const failed = { description: 'What went wrong', content: media(JSON_TYPE, views.errorView) };
  return {
    operationId: name,
    summary: ROUTES[name].what,
    ...(parameters.length > 0 && { parameters }),
    ...(shape.body && {
      requestBody: {
        required: true,
        content: Object.assign({}, ...shape.body.map(({ type, schema }) => media(type, schema))),
      },
    }),
    responses: {
      200: { description: 'Done', content: answerMedia(shape.answer) },
      default: failed,
    },
  };
}

function pathParameters(name: RouteName): unknown[] {
  const names = [...ROUTES[name].path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  const extra = name === 'submit' ? [idempotencyHeader] : [];
  return [
    ...names.map((key) => ({ name: key, in: 'path', required: true, schema: { type: 'string' } })),
    ...extra,
  ];
}

const idempotencyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same tasks gives the tasks of the first submission.',
  schema: { type: 'string' },
};

function queryParameters(shape: Shape): unknown[] {
  if (shape.query === undefined) return [];
  const schema = jsonSchema(shape.query) as {
    properties: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) ?? false,
    schema: property,
  }));
}

function answerMedia(answer: z.ZodType | string): Record<string, unknown> {
  if (typeof answer !== 'string') return media(JSON_TYPE, answer);
  return { [answer]: { schema: { type: 'string' } } };
}

function media(type: string, schema: z.ZodType): Record<string, unknown> {
  return { [type]: { schema: jsonSchema(schema) } };
}

/** Schemas that stand once, under components, and are referred to by name. */
const NAMED = z.registry<{ id: string }>();
NAMED.add(taskSpecSchema, { id: 'TaskSpec' });
NAMED.add(views.taskView, { id: 'Task' });
NAMED.add(views.failureView, { id: 'Failure' });
NAMED.add(views.errorView, { id: 'Error' });
NAMED.add(views.hostView, { id: 'Host' });
NAMED.add(views.imageView, { id: 'Image' });

type JsonSchema = Record<string, unknown>;

/** The schema with its named parts as references into components. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  // As a property: only then is a schema that has a name itself referred to.
  const { properties } = convert(z.object({ it: schema }));
  return toComponents((properties as { it: JsonSchema }).it) as JsonSchema;
}

/** Each named schema, with the others it holds as references. */
function components(): Record<string, JsonSchema> {
  const all = [taskSpecSchema, views.taskView, views.errorView, views.hostView, views.imageView];
  const { $defs } = convert(z.object(Object.fromEntries(all.map((one, i) => [`s${i}`, one]))));
  const named = Object.entries($defs as Record<string, JsonSchema>);
  return Object.fromEntries(named.map(([name, schema]) => [name, component(schema)]));
}

/** The name is the key; inside the schema it would be an unknown keyword. */
function component(schema: JsonSchema): JsonSchema {
  const { id: _id, ...rest } = schema;
  return toComponents(rest) as JsonSchema;
}

function convert(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', metadata: NAMED });
}

function toComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toComponents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === '$ref'
        ? String(part).replace('#/$defs/', '#/components/schemas/')
        : toComponents(part),
    ]),
  );
}
