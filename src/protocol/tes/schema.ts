/**
 * A task as GA4GH TES 1.1 writes it. Fields that the specification does not have, or that only the server sets, are
 * ignored, as are nulls: several engines send every field.
 */
import { z } from 'zod';
import * as limits from '../limits.ts';
import { hasControl, isAbsoluteClean, isPlainWord } from '../text-rules.ts';

const words = (max: number) => z.string().max(max).refine(isPlainWord, 'is not plain text');
const word = words(limits.WORD_BYTES_MAX);

/** In the container; a slash at the end says directory and is dropped. */
const containerPath = z
  .string()
  .max(limits.PATH_BYTES_MAX)
  .refine((path) => !hasControl(path) && path.isWellFormed(), 'contains control characters')
  .transform((path) => path.replaceAll(/\/{2,}/g, '/').replaceAll(/\/\.(?=\/|$)/g, ''))
  .refine((path) => isAbsoluteClean(path), 'must be an absolute path in the container, without ..')
  .transform((path) => (path === '/' ? path : path.replace(/\/$/, '')));

/** Some clients write what they do not set as an empty text. */
const unset = z.literal('').transform(() => undefined);
const optionalPath = z.union([unset, containerPath]).optional();
const label = z.union([unset, word]).optional();
const fileType = z
  .union([z.literal('').transform(() => 'FILE' as const), z.enum(['FILE', 'DIRECTORY'])])
  .default('FILE');
const url = words(limits.PATH_BYTES_MAX * 4).refine(
  (text) => !hasControl(text),
  'contains control characters',
);

const input = z.object({
  name: label,
  description: label,
  url: url.optional(),
  path: containerPath,
  type: fileType,
  content: z.string().optional(),
  streamable: z.boolean().optional(),
});

const output = z.object({
  name: label,
  description: label,
  url,
  path: containerPath,
  path_prefix: z.string().max(limits.PATH_BYTES_MAX).optional(),
  type: fileType,
});

const executor = z.object({
  image: z.string().min(1).max(limits.IMAGE_CHARS_MAX),
  command: z.array(word).min(1).max(limits.ARGV_WORDS_MAX),
  workdir: optionalPath,
  stdin: optionalPath,
  stdout: optionalPath,
  stderr: optionalPath,
  env: z.record(z.string(), word).optional(),
  ignore_error: z.boolean().optional(),
});

const resources = z.object({
  cpu_cores: z.number().min(0).max(65_536).transform(Math.ceil).optional(),
  preemptible: z.boolean().optional(),
  ram_gb: z.number().min(0).max(1e9).optional(),
  disk_gb: z.number().min(0).max(1e12).optional(),
  zones: z.array(word).max(256).optional(),
  backend_parameters: z.record(z.string(), word).optional(),
  backend_parameters_strict: z.boolean().optional(),
});

export const tesTaskSchema = z.object({
  name: label,
  description: label,
  inputs: z.array(input).max(limits.INPUTS_MAX).optional(),
  outputs: z.array(output).max(limits.OUTPUTS_MAX).optional(),
  resources: resources.optional(),
  executors: z
    .array(executor)
    .min(1)
    .max(limits.STEPS_MAX + 1),
  volumes: z.array(containerPath).max(limits.BINDS_MAX).optional(),
  tags: z.record(z.string(), z.string()).optional(),
});

export type TesTask = z.infer<typeof tesTaskSchema>;
export type TesInput = z.infer<typeof input>;
export type TesOutput = z.infer<typeof output>;
export type TesExecutor = z.infer<typeof executor>;
export type TesResources = z.infer<typeof resources>;

/** A document as it is kept: what was asked, and what of that could not be followed. */
export const tesDocumentSchema = z.object({
  task: tesTaskSchema,
  warnings: z.array(z.string()),
});

export type TesDocument = z.infer<typeof tesDocumentSchema>;

export const TES_VIEWS = ['MINIMAL', 'BASIC', 'FULL'] as const;
export type TesView = (typeof TES_VIEWS)[number];

/** The value without the fields that are null, at every depth. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)]));
}
