/** The schema of a stored TaskState: each kind with exactly its own data. */
import { z } from 'zod';
import type { TaskState } from '../domain/state.ts';
import type { TaskId } from '../domain/task.ts';
import {
  blockedSchema,
  cleanupSchema,
  collectedOutputSchema,
  exitRecordSchema,
  failureRecordSchema,
  gpuGrantSchema,
  hookEndSchema,
  jobRecordSchema,
  keptOutputsSchema,
  launchRecordSchema,
  readyImageSchema,
  reusedSchema,
  stagedInputsSchema,
} from './record-schemas.ts';
import { objectOf, variantsOf } from './schema-of.ts';

type State<K extends TaskState['kind']> = Extract<TaskState, { kind: K }>;

const attempt = z.int().min(1);
const since = z.number();
const image = readyImageSchema;
const launch = launchRecordSchema;
const exit = exitRecordSchema;
const failure = failureRecordSchema;

const taskId = z.string().transform((text) => text as TaskId);
const gpus = gpuGrantSchema.optional();
const onHost = {
  attempt,
  host: z.string(),
  gpus,
  since,
  blocked: blockedSchema.optional(),
  tried: z.literal(true).optional(),
};
const ended = {
  attempt,
  host: z.string().optional(),
  gpus,
  image: image.optional(),
  launch: launch.optional(),
  exit: exit.optional(),
  outputs: z.array(collectedOutputSchema),
  kept: keptOutputsSchema.optional(),
  reused: reusedSchema.optional(),
  finishedAt: z.number(),
  cleanup: cleanupSchema,
  hook: hookEndSchema.optional(),
  blocked: blockedSchema.optional(),
};

export const taskStateSchema = variantsOf<TaskState>({
  held: objectOf<State<'held'>>({ kind: z.literal('held'), attempt, since }),
  waiting: objectOf<State<'waiting'>>({
    kind: z.literal('waiting'),
    attempt,
    since,
    on: z.array(taskId),
  }),
  queued: objectOf<State<'queued'>>({ kind: z.literal('queued'), attempt, since }),
  staging: objectOf<State<'staging'>>({ kind: z.literal('staging'), ...onHost }),
  pulling: objectOf<State<'pulling'>>({
    kind: z.literal('pulling'),
    inputs: stagedInputsSchema,
    ...onHost,
  }),
  launching: objectOf<State<'launching'>>({
    kind: z.literal('launching'),
    inputs: stagedInputsSchema,
    image,
    notReused: z.string().optional(),
    job: jobRecordSchema.optional(),
    ...onHost,
  }),
  running: objectOf<State<'running'>>({ kind: z.literal('running'), image, launch, ...onHost }),
  collecting: objectOf<State<'collecting'>>({
    kind: z.literal('collecting'),
    image,
    launch,
    exit,
    ...onHost,
  }),
  cancelling: objectOf<State<'cancelling'>>({
    kind: z.literal('cancelling'),
    image: image.optional(),
    launch: launch.optional(),
    exit: exit.optional(),
    published: z.boolean(),
    failure: failure.optional(),
    ...onHost,
  }),
  succeeded: objectOf<State<'succeeded'>>({ kind: z.literal('succeeded'), ...ended }),
  failed: objectOf<State<'failed'>>({ kind: z.literal('failed'), failure, ...ended }),
  error: objectOf<State<'error'>>({ kind: z.literal('error'), failure, ...ended }),
  cancelled: objectOf<State<'cancelled'>>({ kind: z.literal('cancelled'), ...ended }),
  interrupted: objectOf<State<'interrupted'>>({
    kind: z.literal('interrupted'),
    failure,
    ...ended,
  }),
});
