/** The published OpenAPI file of TES, as a judge of replies: no field that it does not have is let through. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const FILE = join(import.meta.dirname, '../../fixtures/tes/openapi.yaml');

/** What the file refers to on another site: GA4GH service-info 1.0.0. */
const SERVICE_TYPE = {
  type: 'object',
  required: ['group', 'artifact', 'version'],
  properties: {
    group: { type: 'string' },
    artifact: { type: 'string' },
    version: { type: 'string' },
  },
};
const TEXT = { type: 'string' };
const SERVICE = {
  type: 'object',
  required: ['id', 'name', 'type', 'organization', 'version'],
  properties: {
    ...{ id: TEXT, name: TEXT, description: TEXT, version: TEXT, environment: TEXT },
    type: SERVICE_TYPE,
    organization: {
      type: 'object',
      required: ['name', 'url'],
      properties: { name: TEXT, url: { type: 'string', format: 'uri' } },
    },
    contactUrl: { type: 'string', format: 'uri' },
    documentationUrl: { type: 'string', format: 'uri' },
  },
};

type Json = Record<string, unknown>;
type Name =
  | 'tesTask'
  | 'tesListTasksResponse'
  | 'tesCreateTaskResponse'
  | 'tesCancelTaskResponse'
  | 'tesServiceInfo';

const document = parse(readFileSync(FILE, 'utf8')) as {
  components: { schemas: Record<string, Json> };
};
const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
(addFormats as unknown as (to: Ajv) => void)(ajv);

/** What is wrong with a reply; nothing for one that fits. */
export function problemsWith(name: Name, reply: unknown): string[] {
  const validate = validatorOf(name);
  if (validate(reply)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath} ${message} ${JSON.stringify(params)}`;
  });
}

const validators = new Map<Name, ReturnType<Ajv['compile']>>();

function validatorOf(name: Name) {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const made = ajv.compile(closed(resolved(document.components.schemas[name])) as Json);
  validators.set(name, made);
  return made;
}

/** MINIMAL has two fields, and both must be there. */
export function problemsWithMinimal(reply: unknown): string[] {
  const keys = Object.keys(reply as Json).sort();
  const extra = keys.join() === 'id,state' ? [] : [`has ${keys.join()}`];
  return [...extra, ...problemsWith('tesTask', { ...(reply as Json), executors: [] })];
}

/** References put in place, allOf made into one. */
function resolved(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(resolved);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, allOf, ...rest } = schema as { $ref?: string; allOf?: unknown[] } & Json;
  if ($ref?.startsWith('https:')) return $ref.endsWith('ServiceType') ? SERVICE_TYPE : SERVICE;
  if ($ref !== undefined)
    return resolved(document.components.schemas[$ref.split('/').at(-1) ?? '']);
  if (allOf !== undefined) return merged(allOf.map(resolved) as Json[]);
  return Object.fromEntries(
    Object.entries(rest)
      .filter(([key]) => key !== 'example' && key !== 'readOnly')
      .map(([key, value]) => [key, resolved(value)]),
  );
}

function merged(parts: Json[]): Json {
  return parts.reduce<Json>(
    (all, part) => ({
      ...all,
      ...part,
      required: [...new Set([all, part].flatMap((one) => (one['required'] as string[]) ?? []))],
      properties: { ...(all['properties'] as Json), ...(part['properties'] as Json) },
    }),
    {},
  );
}

/** Decoders of clients refuse fields that the specification does not have. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  const isOpen = all['additionalProperties'] !== undefined;
  if (all['type'] !== 'object' || isOpen) return all;
  return { ...all, additionalProperties: false };
}
