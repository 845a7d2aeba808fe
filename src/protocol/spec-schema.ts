/**
 * A task as it is written in JSON: the shape only. What the parts mean together (defaults, paths,
 * units) is in parse-spec.ts. Strict: an unknown field is an error, never ignored.
 */
import { z } from 'zod';
import * as limits from './limits.ts';
import { slurmSchema } from './slurm-schema.ts';
import { hasControl, isPlainWord } from './text-rules.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);

/** A short text shown to people: no control characters. */
const label = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !hasControl(text) && text.isWellFormed(), 'contains control characters');

/** A word passed to a program as it is. */
const word = (max: number) =>
  z
    .string()
    .refine(isPlainWord, 'contains a NUL or is not valid Unicode')
    .refine((text) => bytesOf(text) <= max, `is longer than ${max} bytes`);

const path = label(limits.PATH_BYTES_MAX);
const either = { error: 'does not fit any of the allowed forms' };

const content = z
  .string()
  .refine(isPlainWordOrNul, 'is not valid Unicode')
  .refine((text) => bytesOf(text) <= limits.INLINE_BYTES_MAX, 'is larger than 1 MiB; use a file');
const contentBase64 = z
  .base64()
  .refine(
    (text) => text.length <= (limits.INLINE_BYTES_MAX * 4) / 3 + 4,
    'is larger than 1 MiB; use a file',
  );

function isPlainWordOrNul(text: string): boolean {
  return text.isWellFormed();
}

/** Exactly one of these names where the bytes come from; parse-spec.ts checks that. */
const sourceFields = {
  path: path
    .optional()
    .describe('Absolute path of a file or directory on the submit host, or workflow:///TASK/PATH.'),
  content: content.optional().describe('The bytes themselves, as text.'),
  contentBase64: contentBase64.optional().describe('The bytes themselves, in base64.'),
  remote: path.optional().describe('Absolute path on the host where the task runs.'),
};

const input = z.union(
  [
    path.describe('SRC[:DST]; a colon in a path is written \\:'),
    z.strictObject({ ...sourceFields, target: path.optional() }),
  ],
  either,
);

const stdin = z.union([path, z.strictObject(sourceFields)], either);

const output = z.union(
  [
    path.describe('PATH:LOCAL; a colon in a path is written \\:'),
    z.strictObject({ path, local: path, overwrite: z.boolean().optional() }),
  ],
  either,
);

const bind = z.union(
  [
    path.describe('SRC:DST[:ro|rw]'),
    z.strictObject({ source: path, target: path, readonly: z.boolean().optional() }),
  ],
  either,
);

const image = label(limits.IMAGE_CHARS_MAX).refine((text) => !/\s/.test(text), 'contains a space');

const step = z.strictObject({
  image: image.optional(),
  command: z.union(
    [
      word(limits.WORD_BYTES_MAX),
      z.array(word(limits.WORD_BYTES_MAX)).min(1).max(limits.ARGV_WORDS_MAX),
    ],
    either,
  ),
  env: z.record(z.string(), word(limits.WORD_BYTES_MAX)).optional(),
  workdir: path.optional(),
  goOn: z.boolean().optional().describe('The next one runs although this one failed.'),
});

export const taskSpecSchema = z
  .strictObject({
    name: label(limits.NAME_CHARS_MAX).optional(),
    host: label(64).optional().describe('A configured host; absent: the least loaded that fits.'),
    image: z
      .union([image, z.array(image).min(1).max(limits.IMAGES_MAX)], either)
      .optional()
      .describe('An image reference, or candidates in order.'),
    pull: z
      .enum(['missing', 'newer'])
      .optional()
      .describe('newer: the registry is asked whether the tag moved, though the image is there.'),
    command: z
      .union(
        [
          word(limits.COMMAND_TEXT_BYTES_MAX).refine((text) => text.trim() !== '', 'is empty'),
          z.array(word(limits.WORD_BYTES_MAX)).min(1).max(limits.ARGV_WORDS_MAX),
        ],
        either,
      )
      .describe('A list runs as it stands; a text is run by a shell of the image.'),
    shell: path.optional().describe('The shell for a text command, e.g. /bin/sh.'),
    env: z.record(z.string(), word(limits.WORD_BYTES_MAX)).optional(),
    workdir: path.optional().describe('Where the command begins in the container.'),
    then: z
      .array(step)
      .max(limits.STEPS_MAX)
      .optional()
      .describe(
        'Commands that run after it in the same attempt, one after the other until one fails.',
      ),
    inputs: z.array(input).max(limits.INPUTS_MAX).optional(),
    stdin: stdin.optional(),
    outputs: z.array(output).max(limits.OUTPUTS_MAX).optional(),
    share: z
      .array(path)
      .max(limits.OUTPUTS_MAX)
      .optional()
      .describe('Paths below the work directory that stay on the host as inputs of other tasks.'),
    binds: z.array(bind).max(limits.BINDS_MAX).optional(),
    volumes: z
      .array(path)
      .max(limits.BINDS_MAX)
      .optional()
      .describe('Directories of the container that are its own: writable, empty when it starts.'),
    cpus: z.number().positive().max(65_536).optional(),
    gpus: z.int().min(0).max(limits.GPUS_MAX).optional().describe('Whole GPUs, for it alone.'),
    require: z
      .array(label(64))
      .max(limits.TAGS_MAX)
      .optional()
      .describe('Tags that its host must have.'),
    slurm: slurmSchema.optional(),
    memory: z.union([z.string(), z.number()], either).optional().describe('"512MiB" or bytes.'),
    time: z.union([z.string(), z.number()], either).optional().describe('"10m" or milliseconds.'),
    outputLimit: z
      .union([z.string(), z.number()], either)
      .optional()
      .describe('Cap of each stream: "1GiB" or bytes.'),
    tmpDir: path.optional().describe('Directory on the host for /tmp of the task.'),
    overlay: z
      .union([z.boolean(), path], either)
      .optional()
      .describe('true: a writable root of its own; "PATH[:ro]": one that is on the host.'),
    overlaySize: z
      .union([z.string(), z.number()], either)
      .optional()
      .describe('How much can be written to its root: "4GiB" or bytes.'),
    fakeroot: z.boolean().optional().describe('It is root in its container.'),
    network: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
      .optional()
      .describe('A network of its own, as the runtime takes it: "none" is none at all.'),
    onFinish: z
      .union(
        [
          z.literal(false),
          word(limits.WORD_BYTES_MAX).refine((text) => text.trim() !== '', 'is empty'),
        ],
        either,
      )
      .optional()
      .describe('A command for sh on the submit host, run when it has ended; false: none.'),
    cleanup: z.enum(['always', 'on-success', 'never']).optional(),
    retries: z.int().min(0).max(limits.RETRIES_MAX).optional(),
    retryOn: z.array(z.enum(['exit', 'interrupted', 'time-limit'])).optional(),
    acceptExit: z.array(z.int().min(0).max(255)).min(1).max(256).optional(),
    runtimeArgs: z.array(word(limits.WORD_BYTES_MAX)).max(limits.RUNTIME_ARGS_MAX).optional(),
    priority: z.int().min(-limits.PRIORITY_ABS_MAX).max(limits.PRIORITY_ABS_MAX).optional(),
    reuse: z
      .boolean()
      .optional()
      .describe(
        'Where one like it has succeeded before, its outputs are taken instead of running it.',
      ),
    after: z
      .array(label(limits.NAME_CHARS_MAX))
      .max(limits.AFTER_MAX)
      .optional()
      .describe(
        'Tasks that must succeed first: ids, or names of other tasks of the same submission.',
      ),
    held: z.boolean().optional(),
    tags: z.record(z.string(), label(limits.TAG_VALUE_CHARS_MAX)).optional(),
  })
  .describe('What to run.');

export type WireTaskSpec = z.infer<typeof taskSpecSchema>;
export const TASK_FIELDS = Object.keys(taskSpecSchema.shape);
