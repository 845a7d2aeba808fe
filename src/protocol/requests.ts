/** What a request may carry beside a task: queries and small bodies. Strict, like tasks. */
import { z } from 'zod';
import { STATE_KINDS } from '../domain/state.ts';
import * as limits from './limits.ts';
import { hasControl } from './text-rules.ts';

const whole = z.coerce.number().int().min(0);
const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .transform((text) => text !== 'false' && text !== '0');
const listOf = <T extends z.ZodType>(item: T) =>
  z.union([z.array(item), item.transform((one) => [one])]);
const state = z.enum(STATE_KINDS as [string, ...string[]], { error: 'is not a state of a task' });

export const listQuery = z.strictObject({
  state: listOf(z.string().max(400)).optional().describe('A state; several by comma or repeated.'),
  host: z.string().max(64).optional(),
  name: z.string().max(400).optional().describe('The whole name of a task.'),
  tag: listOf(z.string().max(400)).optional().describe('K=V; repeated: all must fit.'),
  limit: z.coerce.number().int().min(1).max(limits.LIST_LIMIT_MAX).optional(),
  cursor: z.string().max(200).optional(),
});
export const stateName = state;

export const getQuery = z.strictObject({
  wait: z.coerce.number().min(0).max(limits.WAIT_SECONDS_MAX).optional().describe('Seconds.'),
});

export const logsQuery = z.strictObject({
  offset: whole.optional(),
  follow: flag.optional(),
  attempt: z.coerce.number().int().min(1).optional(),
});
export const streamParam = z.enum(['stdout', 'stderr', 'runtime'], {
  error: 'must be stdout, stderr or runtime',
});

export const filesQuery = z.strictObject({
  path: z.string().max(limits.PATH_BYTES_MAX).optional(),
});
export const insideQuery = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(limits.PATH_BYTES_MAX)
    .refine((text) => !hasControl(text), 'cannot hold control characters')
    .describe('Relative to the work directory, or a path in the container.'),
});
export const eventsQuery = z.strictObject({
  since: whole.optional(),
  follow: flag.optional(),
  task: z.string().max(100).optional(),
});
export const hostQuery = z.strictObject({ probe: flag.optional() });
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, {
  error: 'is not a fingerprint: SHA256: and 43 characters',
});
export const trustBody = z.strictObject({
  fingerprint: listOf(fingerprint)
    .optional()
    .describe('One or several, as ssh-keygen -l shows them; the keys that have them are pinned.'),
  replace: z.boolean().optional().describe('Lines of the own file that say otherwise are removed.'),
});
export const loginBody = z.strictObject({
  session: z.string().max(100).optional().describe('As the last step said; without it one begins.'),
  answers: z.array(z.string().max(limits.ANSWER_CHARS_MAX)).max(limits.ANSWERS_MAX).optional(),
});
export const imageReference = z.strictObject({
  reference: z.string().min(1).max(limits.IMAGE_CHARS_MAX),
});
export const pruneBody = z.strictObject({
  olderThanMs: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Not used for so long; default 30 days.'),
  dryRun: z.boolean().optional().describe('Default true: only say what would be removed.'),
});
export const forgetBody = z.strictObject({
  dryRun: z.boolean().optional().describe('Default true: only say what would be removed.'),
});
const runtimeDirectory = z
  .string()
  .max(limits.PATH_BYTES_MAX)
  .regex(/^\/(?:[A-Za-z0-9_./+@-]|%u)*$/, {
    error: 'must be an absolute path of letters, digits and _ . / + @ -; %u stands for the user',
  });
export const setupBody = z.strictObject({
  act: z.enum(['check', 'print', 'install']).describe('install changes the host.'),
  cacheDir: runtimeDirectory.optional().describe("APPTAINER_CACHEDIR in the user's ~/.profile."),
  tmpDir: runtimeDirectory.optional().describe("APPTAINER_TMPDIR in the user's ~/.profile."),
});
export const gcBody = z.strictObject({
  olderThanMs: z.number().int().min(0).optional(),
  dryRun: z.boolean().optional(),
  host: z.string().max(64).optional().describe('Only what is on this host.'),
  images: z.boolean().optional().describe('Also images that no task uses.'),
});
export const gcQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(limits.REMOVALS_MAX).optional(),
});
