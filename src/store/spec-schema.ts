/** The schema of a stored TaskSpec. */
import { z } from 'zod';
import type {
  Bind,
  CleanupPolicy,
  Command,
  Input,
  InputSource,
  LocalOutput,
  Overlay,
  PullWhen,
  Redirect,
  RetryReason,
  SlurmAsk,
  Step,
  StoredOutput,
  TaskSpec,
} from '../domain/task.ts';
import { objectOf, oneOf, variantsOf } from './schema-of.ts';

type Variant<T, K> = Extract<T, { kind: K }>;

const command = variantsOf<Command>({
  argv: objectOf<Variant<Command, 'argv'>>({
    kind: z.literal('argv'),
    argv: z.array(z.string()),
  }),
  text: objectOf<Variant<Command, 'text'>>({
    kind: z.literal('text'),
    text: z.string(),
    shell: z.string().exactOptional(),
  }),
});

const source = variantsOf<InputSource>({
  file: objectOf<Variant<InputSource, 'file'>>({ kind: z.literal('file'), path: z.string() }),
  directory: objectOf<Variant<InputSource, 'directory'>>({
    kind: z.literal('directory'),
    path: z.string(),
  }),
  content: objectOf<Variant<InputSource, 'content'>>({
    kind: z.literal('content'),
    base64: z.string(),
  }),
  remote: objectOf<Variant<InputSource, 'remote'>>({ kind: z.literal('remote'), path: z.string() }),
  url: objectOf<Variant<InputSource, 'url'>>({
    kind: z.literal('url'),
    url: z.string(),
    directory: z.boolean(),
  }),
  output: objectOf<Variant<InputSource, 'output'>>({
    kind: z.literal('output'),
    task: z.string(),
    path: z.string(),
  }),
});

const input = objectOf<Input>({ source, target: z.string() });
const pattern = {
  pattern: z.string(),
  overwrite: z.boolean(),
  prefix: z.string().exactOptional(),
  optional: z.literal(true).exactOptional(),
};
const none = z.undefined().optional();
const output = z.union([
  objectOf<LocalOutput>({ ...pattern, local: z.string(), url: none }),
  objectOf<StoredOutput>({ ...pattern, url: z.string(), local: none }),
]);
const redirect = objectOf<Redirect>({
  stdin: z.string().exactOptional(),
  stdout: z.string().exactOptional(),
  stderr: z.string().exactOptional(),
});
const step = objectOf<Step>({
  image: z.string(),
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  workdir: z.string().optional(),
  redirect: redirect.optional(),
  goOn: z.literal(true).optional(),
});
const bind = objectOf<Bind>({ source: z.string(), target: z.string(), readonly: z.boolean() });
const overlay = variantsOf<Overlay>({
  made: objectOf<Variant<Overlay, 'made'>>({ kind: z.literal('made'), bytes: z.number() }),
  own: objectOf<Variant<Overlay, 'own'>>({
    kind: z.literal('own'),
    path: z.string(),
    readonly: z.boolean(),
  }),
  none: objectOf<Variant<Overlay, 'none'>>({ kind: z.literal('none') }),
});
const slurm = objectOf<SlurmAsk>({
  partition: z.string().optional(),
  account: z.string().optional(),
  qos: z.string().optional(),
  constraint: z.string().optional(),
  nodes: z.int().optional(),
  ntasksPerNode: z.int().optional(),
  short: z.boolean().optional(),
  fpga: z.boolean().optional(),
  args: z.array(z.string()).optional(),
});
const text = z.record(z.string(), z.string());

export const taskSpecSchema = objectOf<TaskSpec>({
  name: z.string().optional(),
  host: z.string().optional(),
  images: z.array(z.string()),
  pull: oneOf<PullWhen>({ missing: true, newer: true }).optional(),
  command,
  workdir: z.string().optional(),
  redirect: redirect.optional(),
  env: text,
  goOn: z.literal(true).optional(),
  then: z.array(step).optional(),
  inputs: z.array(input),
  stdin: source.optional(),
  outputs: z.array(output),
  share: z.array(z.string()).optional(),
  binds: z.array(bind),
  volumes: z.array(z.string()).optional(),
  cpus: z.number().optional(),
  memoryBytes: z.number().optional(),
  gpus: z.int().optional(),
  require: z.array(z.string()).optional(),
  slurm: slurm.optional(),
  timeLimitMs: z.number().optional(),
  outputLimitBytes: z.number().optional(),
  tmpDir: z.string().optional(),
  overlay: overlay.optional(),
  fakeroot: z.boolean().optional(),
  network: z.string().optional(),
  onFinish: z.string().optional(),
  cleanup: oneOf<CleanupPolicy>({ always: true, 'on-success': true, never: true }),
  retries: z.int(),
  retryOn: z.array(oneOf<RetryReason>({ exit: true, interrupted: true, 'time-limit': true })),
  acceptExit: z.array(z.int()),
  runtimeArgs: z.array(z.string()),
  priority: z.number(),
  reuse: z.boolean().optional(),
  after: z.array(z.string()).optional(),
  held: z.boolean(),
  tags: text,
});
