/** The JSON files that an attempt leaves on its host, as values. A newer format is refused by name. */
import { z } from 'zod';
import type { ExitRecord, StepEnd, SupervisorRecord } from '../domain/state.ts';
import type { StreamName } from '../domain/task.ts';
import { parseJson } from './reply.ts';

/** Format of all remote files this version writes; it reads this one and older ones. */
export const REMOTE_FORMAT = 1;

/** An exit record with what only the host can know of its copiers. */
export interface AttemptExit extends ExitRecord {
  /** Nonce of the supervisor that wrote it. */
  nonce: string;
  /** The command ran without a shell in the image: its code is the runtime's. */
  direct: boolean;
  /** The copier of this stream was killed (no code) or could not write (its code). */
  copier?: StreamName | undefined;
  copierCode?: number | undefined;
}

/** What is known of an attempt without its supervisor: of its copiers only whether one died. */
export type SalvagedExit = ExitRecord & Pick<AttemptExit, 'copier'>;

const format = z.literal(REMOTE_FORMAT, { error: `written by another version of Towline` });
const bytes = z.int().nonnegative();
const hundredths = z.int().nonnegative();
const stream = z.enum(['stdout', 'stderr']);

const launchSchema = z.object({
  format,
  n: z.string().min(1),
  pid: z.int().positive(),
  start: z.string().regex(/^\d+$/),
  boot: z.string(),
  machine: z.string(),
  hostname: z.string(),
  at: z.int().nonnegative(),
});

const stepSchema = z.object({
  code: z.int().min(0).max(255),
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  out: bytes,
  err: bytes,
});

const exitSchema = z.object({
  format,
  n: z.string().min(1),
  started: z.boolean(),
  code: z.int().min(0).max(255).nullable(),
  direct: z.boolean(),
  runtimeCode: z.int().min(0).max(255),
  limit: z.enum(['time', 'stdout', 'stderr', 'memory', 'job']).nullable(),
  copier: stream.nullable(),
  copierCode: z.int().nullable(),
  out: bytes,
  err: bytes,
  at: z.int().nonnegative(),
  log: z.string().regex(/^([0-9a-f]{2} ?)*$/),
  /** Absent in records of older supervisors. Only told: no reason to refuse a record. */
  usage: z
    .object({
      wall: hundredths,
      user: hundredths,
      system: hundredths,
      rss: z.int().positive().nullable(),
    })
    .optional()
    .catch(undefined),
  /** Of a task of several commands. */
  steps: z.array(stepSchema).optional(),
});

/** Reads a sup.<n>.json. @throws HOST_REPLY_INVALID naming the field. */
export function parseLaunchRecord(text: string): SupervisorRecord {
  const record = parseJson(launchSchema, text, 'launch record');
  return {
    nonce: record.n,
    pid: record.pid,
    startTicks: record.start,
    bootId: record.boot,
    machineId: record.machine,
    hostname: record.hostname,
    startedAt: record.at * 1000,
  };
}

/** Reads an exit.json. @throws HOST_REPLY_INVALID naming the field. */
export function parseExitRecord(text: string): AttemptExit {
  const record = parseJson(exitSchema, text, 'exit record');
  const log = hexText(record.log);
  return {
    nonce: record.n,
    direct: record.direct,
    code: record.code ?? undefined,
    runtimeCode: record.runtimeCode,
    limit: record.limit ?? undefined,
    copier: record.copier ?? undefined,
    copierCode: record.copierCode ?? undefined,
    stdoutBytes: record.out,
    stderrBytes: record.err,
    finishedAt: record.at * 1000,
    runtimeLogTail: log === '' ? undefined : log,
    ...(record.usage !== undefined && { usage: usageOf(record.usage) }),
    ...(record.steps !== undefined && { steps: record.steps.map(stepEnd) }),
  };
}

function stepEnd({ code, from, to, out, err }: z.infer<typeof stepSchema>): StepEnd {
  const times = { startedAt: from * 1000, finishedAt: to * 1000 };
  return { code, ...times, stdoutBytes: out, stderrBytes: err };
}

function usageOf({ wall, user, system, rss }: NonNullable<z.infer<typeof exitSchema>['usage']>) {
  const times = { wallMs: wall * 10, cpuUserMs: user * 10, cpuSystemMs: system * 10 };
  return { ...times, ...(rss !== null && { maxRssBytes: rss * 1024 }) };
}

/** Text from hexadecimal bytes; a character cut in the middle is replaced. */
export function hexText(hex: string): string {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('utf8');
}
