/**
 * The shape of a workflow file. Fields of a task are only named here: what they hold is checked once
 * parameters are put in, by the schema of tasks itself.
 */
import { z } from 'zod';
import { NAME_CHARS_MAX } from '../protocol/limits.ts';
import { TASK_FIELDS, taskSpecSchema } from '../protocol/spec-schema.ts';
import { hasControl } from '../protocol/text-rules.ts';

export const TASK_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
export const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_-]*\}/;
const WHOLE_REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_-]*\}$/;

const label = z
  .string()
  .min(1)
  .max(NAME_CHARS_MAX)
  .refine((text) => !hasControl(text), 'contains control characters');
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const parameter = z.union([scalar, z.array(scalar), z.null()], {
  error: 'must be a text, a number, true or false, a list of such, or null: it has to be given',
});
const scatter = z.strictObject({
  over: z
    .union([z.array(scalar), z.string().regex(WHOLE_REFERENCE)], {
      error: 'must be a list, or ${NAME} of a parameter',
    })
    .describe('One task is made for each; a text is split at its commas.'),
  as: z
    .string()
    .regex(PARAMETER_NAME, 'must be a name of letters, digits, - and _')
    .describe('The name by which ${…} gives the item.'),
});
const after = z.array(z.string()).describe('Names of tasks of this file that must succeed first.');

export type Scalar = z.infer<typeof scalar>;
export type Parameter = z.infer<typeof parameter>;

/** The name of a task is its key, and only this file's tasks can be waited for: neither can be a default. */
export const DEFAULT_FIELDS = TASK_FIELDS.filter((name) => !['name', 'after'].includes(name));
const opaque = Object.fromEntries(DEFAULT_FIELDS.map((name) => [name, z.unknown().optional()]));

/** The file with the fields of tasks left open. */
export const fileShape = z.strictObject({
  name: label,
  defaults: z.strictObject(opaque).optional(),
  parameters: z.record(z.string(), parameter).optional(),
  tasks: z.record(
    z.string(),
    z.strictObject({ ...opaque, after: after.optional(), scatter: scatter.optional() }),
  ),
});

/** What may stand at a place of the file, for the nearest name to a wrong one. */
export function knownAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(fileShape.shape);
  if (path[0] === 'defaults' && path.length === 1) return DEFAULT_FIELDS;
  if (path[0] === 'tasks' && path.length === 2) return [...DEFAULT_FIELDS, 'after', 'scatter'];
  if (path.at(-1) === 'scatter') return Object.keys(scatter.shape);
  return INNER_FIELDS;
}

/** Of inputs, stdin, outputs and binds. */
const INNER_FIELDS = [
  'path',
  'content',
  'contentBase64',
  'remote',
  'target',
  'local',
  'overwrite',
  'source',
  'readonly',
];

/** The whole file, for its JSON Schema: each field as tasks have it, or a text with ${…}. */
export function wholeFile() {
  const filled = z.string().regex(REFERENCE).describe('A text with ${NAME} in it.');
  const fields = Object.fromEntries(
    DEFAULT_FIELDS.map((name) => {
      const field = taskSpecSchema.shape[name as keyof typeof taskSpecSchema.shape];
      const inner = field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : field;
      const text = field.description ?? inner.description;
      const either = z.union([inner, filled]).optional();
      return [name, text === undefined ? either : either.describe(text)];
    }),
  );
  const task = z.strictObject({ ...fields, after: after.optional(), scatter: scatter.optional() });
  return z
    .strictObject({
      name: label.describe('Tasks get it as the tag workflow.'),
      defaults: z.strictObject(fields).optional().describe('Fields of every task that lacks them.'),
      parameters: z
        .record(z.string().regex(PARAMETER_NAME), parameter)
        .optional()
        .describe('NAME: default; null must be given with --set NAME=VALUE.'),
      tasks: z.record(z.string().regex(TASK_NAME), task).describe('NAME: task.'),
    })
    .describe('A workflow of Towline.');
}
