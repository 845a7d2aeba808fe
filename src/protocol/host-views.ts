/** Hosts as they go over the wire: how they stand, what doctor finds, what logins and trust ask. */
import { z } from 'zod';
import { HOST_MODES } from '../domain/host-mode.ts';
import { GPU_KINDS } from '../domain/state.ts';
import { failureView } from './failure-view.ts';

const time = z.iso.datetime();
const count = z.number();

const linkView = z.object({
  kind: z.enum(['idle', 'connecting', 'ready', 'unreachable', 'refused', 'needs-login', 'closed']),
  since: time.optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  hint: z.string().optional(),
  nextTryAt: time.optional(),
});

const gpuView = z.object({
  kind: z.enum(GPU_KINDS),
  device: z.string(),
  name: z.string().optional(),
  memoryBytes: count.optional(),
  task: z.string().optional(),
});

const loginUseView = z.object({
  burst: count,
  refillMs: count,
  left: count,
  nextAt: time.optional(),
  usedLastHour: count,
  waiting: count,
  failed: count,
  refused: count,
});

/** What the host may be asked for, and what was. */
const budgetView = z.object({
  logins: loginUseView,
  channels: z.object({
    open: count,
    /** Per connection, once the host has refused one. */
    limit: count.optional(),
    connections: count,
    refused: count,
  }),
  polls: z.object({ limit: count, lastSecond: count }),
  /** The hosts on the way, outermost first. */
  jumps: z.array(z.object({ name: z.string(), link: z.string(), logins: loginUseView })),
  /** In order of preference, where there are several; logins and jumps are those of the one in use. */
  nodes: z.array(
    z.object({
      name: z.string().describe('hostname:port of a login node.'),
      inUse: z.boolean(),
      logins: loginUseView,
      trouble: z
        .object({
          code: z.string(),
          message: z.string(),
          hint: z.string(),
          since: time,
          nextTryAt: time.optional(),
        })
        .optional()
        .describe('Why it was not used when it was tried last.'),
    }),
  ),
});

export const hostView = z.object({
  name: z.string(),
  type: z.enum(['ssh', 'local']),
  address: z.string(),
  scheduler: z.string(),
  link: linkView,
  mode: z.enum(HOST_MODES),
  modeSince: time.optional(),
  root: z.string(),
  facts: z
    .object({
      hostname: z.string(),
      user: z.string(),
      root: z.string(),
      cpus: count,
      memoryBytes: count,
      freeBytes: count,
      rootFsType: z.string(),
      runtime: z.object({ path: z.string(), version: z.string() }).optional(),
      clockSkewMs: count,
    })
    .optional(),
  slots: z.object({
    maxTasks: count,
    usedTasks: count,
    cpus: count.optional(),
    usedCpus: count,
    memoryBytes: count.optional(),
    usedMemoryBytes: count,
    gpus: count.optional(),
    usedGpus: count,
  }),
  tags: z.array(z.string()),
  /** What was found of each GPU that tasks may have, and which task has it. */
  gpus: z.array(gpuView),
  counters: z.record(z.string(), count),
  budget: budgetView.optional(),
  lastFailure: failureView.optional(),
});
export const hostTrustView = z.object({
  host: z.string(),
  name: z.string().describe('The name of the host in known_hosts files.'),
  file: z.string().describe("Towline's own known_hosts file."),
  keys: z.array(
    z.object({
      type: z.string(),
      fingerprint: z.string(),
      verdict: z.enum(['trusted', 'unknown', 'different', 'revoked']),
      places: z.array(z.string()),
      nodes: z.array(z.string()).optional().describe('The login nodes that offer it.'),
    }),
  ),
  silent: z
    .array(z.object({ node: z.string(), code: z.string(), message: z.string() }))
    .optional()
    .describe('Login nodes that could not be asked, while others could.'),
});
export const hostListView = z.object({ hosts: z.array(hostView) });

export const setupView = z.object({ host: hostView, image: z.string().optional() });
/** A line of what the set-up script says; with `failure` it did not succeed. */
export const setupNewsView = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('end'), code: count, failure: failureView.optional() }),
]);

export const forgetView = z.object({
  host: z.string(),
  dryRun: z.boolean(),
  mode: z.enum(HOST_MODES),
  roots: z.array(
    z.object({
      root: z.string(),
      attempts: count,
      images: count,
      objects: count,
      bytes: count,
      others: z.array(z.string()),
      foreign: z.array(z.string()),
      kept: z.array(z.string()),
      gone: z.boolean(),
    }),
  ),
  imageCacheDir: z.string().optional(),
});

export const findingView = z.object({
  type: z.literal('finding'),
  /** Stable: name, port, server, host-key, login, shell, root and others. */
  id: z.string(),
  title: z.string(),
  level: z.enum(['ok', 'warning', 'failure', 'skipped']),
  detail: z.string(),
  cause: z.string().optional(),
  /** What mends it: a command here, on the host, as root there; a line of the host's section; words. */
  remedy: z
    .object({ how: z.enum(['here', 'host', 'root', 'ini', 'words']), text: z.string() })
    .optional(),
  code: z.string().optional(),
});
const doctorSummaryView = z.object({
  type: z.literal('summary'),
  host: z.string(),
  ok: count,
  warnings: count,
  failures: count,
  skipped: count,
});
/** A line of the examination of a host. */
export const doctorView = z.discriminatedUnion('type', [findingView, doctorSummaryView]);
/** done: the link is as `host` shows; else what the host asks next. */
export const loginView = z.discriminatedUnion('done', [
  z.object({ done: z.literal(true), host: hostView }),
  z.object({
    done: z.literal(false),
    session: z.string(),
    /** The host that asks: it may be one on the way. */
    asking: z.string(),
    name: z.string(),
    instruction: z.string(),
    prompts: z.array(z.object({ prompt: z.string(), echo: z.boolean() })),
  }),
]);

export type HostView = z.infer<typeof hostView>;
export type ForgetView = z.infer<typeof forgetView>;
export type HostTrustView = z.infer<typeof hostTrustView>;
export type SetupView = z.infer<typeof setupView>;
export type SetupNewsView = z.infer<typeof setupNewsView>;
export type LoginView = z.infer<typeof loginView>;
export type HostListView = z.infer<typeof hostListView>;
export type FindingView = z.infer<typeof findingView>;
export type DoctorView = z.infer<typeof doctorView>;
export type DoctorSummaryView = z.infer<typeof doctorSummaryView>;
