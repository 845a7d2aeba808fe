/** Schemas of the records that states carry: what was staged, launched, ended, collected. */
import { z } from 'zod';
import { ERROR_CODES } from '../domain/error-registry.ts';
import type { FailureRecord } from '../domain/failure.ts';
import type {
  Blocked,
  Cleanup,
  CollectedOutput,
  ExitRecord,
  GpuGrant,
  GpuKind,
  HookEnd,
  JobRecord,
  KeptEntry,
  KeptOutputs,
  LaunchRecord,
  ReadyImage,
  Reused,
  StagedFile,
  StagedInputs,
  StepEnd,
  Usage,
} from '../domain/state.ts';
import type { AttemptToken, TaskId } from '../domain/task.ts';
import { objectOf, oneOf, variantsOf } from './schema-of.ts';

type Staged<K> = Extract<StagedFile, { kind: K }>;

export const blockedSchema = objectOf<Blocked>({
  host: z.string(),
  reason: z.string(),
  message: z.string(),
  hint: z.string(),
  since: z.number(),
});

const stagedFile = variantsOf<StagedFile>({
  object: objectOf<Staged<'object'>>({
    kind: z.literal('object'),
    sha256: z.string(),
    mode: z.int(),
    target: z.string(),
    bytes: z.int(),
  }),
  directory: objectOf<Staged<'directory'>>({ kind: z.literal('directory'), target: z.string() }),
  remote: objectOf<Staged<'remote'>>({
    kind: z.literal('remote'),
    path: z.string(),
    target: z.string(),
  }),
});

export const stagedInputsSchema = objectOf<StagedInputs>({
  files: z.array(stagedFile),
  stdin: objectOf<NonNullable<StagedInputs['stdin']>>({
    sha256: z.string(),
    mode: z.int(),
  }).optional(),
});

export const gpuGrantSchema = objectOf<GpuGrant>({
  kind: oneOf<GpuKind>({ nvidia: true, amd: true }),
  devices: z.array(z.string()),
});

const readyImage = {
  reference: z.string(),
  path: z.string(),
  sha256: z.string().optional(),
  digest: z.string().optional(),
};

/** The images of further steps have none of their own. */
export const readyImageSchema = objectOf<ReadyImage>({
  ...readyImage,
  then: z.array(objectOf<ReadyImage>({ ...readyImage, then: z.undefined().optional() })).optional(),
});

export const jobRecordSchema = objectOf<JobRecord>({
  id: z.string(),
  name: z.string(),
  batch: z.string(),
  index: z.int(),
  pilot: z.literal(true).optional(),
  command: z.string(),
  submittedAt: z.number(),
  notes: z.array(z.string()).optional(),
});

export const launchRecordSchema = objectOf<LaunchRecord>({
  nonce: z.string(),
  pid: z.int(),
  startTicks: z.string(),
  bootId: z.string(),
  machineId: z.string(),
  hostname: z.string(),
  startedAt: z.number(),
  root: z.string(),
  fingerprint: z.string().optional(),
  notReused: z.string().optional(),
  job: jobRecordSchema.optional(),
});

export const exitRecordSchema = objectOf<ExitRecord>({
  code: z.int().optional(),
  runtimeCode: z.int(),
  limit: oneOf<NonNullable<ExitRecord['limit']>>({
    time: true,
    stdout: true,
    stderr: true,
    memory: true,
    job: true,
  }).optional(),
  stdoutBytes: z.int(),
  stderrBytes: z.int(),
  finishedAt: z.number(),
  runtimeLogTail: z.string().optional(),
  salvaged: z.boolean().optional(),
  usage: objectOf<Usage>({
    wallMs: z.number(),
    cpuUserMs: z.number(),
    cpuSystemMs: z.number(),
    maxRssBytes: z.number().optional(),
  }).optional(),
  steps: z
    .array(
      objectOf<StepEnd>({
        code: z.int(),
        startedAt: z.number(),
        finishedAt: z.number(),
        stdoutBytes: z.int(),
        stderrBytes: z.int(),
      }),
    )
    .optional(),
});

export const collectedOutputSchema = objectOf<CollectedOutput>({
  pattern: z.string(),
  remote: z.string(),
  local: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});

export const reusedSchema = objectOf<Reused>({
  task: z.string().transform((text) => text as TaskId),
  token: z.string().transform((text) => text as AttemptToken),
  fingerprint: z.string(),
});

type KeptVariant<K> = Extract<KeptEntry, { kind: K }>;

export const keptOutputsSchema = objectOf<KeptOutputs>({
  host: z.string(),
  root: z.string(),
  token: z.string().transform((text) => text as AttemptToken),
  entries: z.array(
    variantsOf<KeptEntry>({
      file: objectOf<KeptVariant<'file'>>({
        kind: z.literal('file'),
        path: z.string(),
        sha256: z.string(),
        mode: z.int(),
        bytes: z.int(),
      }),
      directory: objectOf<KeptVariant<'directory'>>({
        kind: z.literal('directory'),
        path: z.string(),
      }),
    }),
  ),
});

export const failureRecordSchema = objectOf<FailureRecord>({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  hint: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.undefined()])),
});

export const cleanupSchema = oneOf<Cleanup>({ none: true, pending: true, done: true, kept: true });

export const hookEndSchema = objectOf<HookEnd>({
  at: z.number(),
  ms: z.number(),
  code: z.int().optional(),
  failure: failureRecordSchema.optional(),
  passedOver: z.literal(true).optional(),
});
