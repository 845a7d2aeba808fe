/**
 * What doctor asks a host in one go: facts only, nothing is judged here and nothing of the host is
 * changed; what is tried is tried in files that are removed again. Every part answers with what it
 * can: a tool that is missing leaves a fact out.
 */
import { z } from 'zod';
import { type AskedRegistry, GPUS, imagesText, OVERLAYS, registriesText } from './doctor-more.ts';
import { HOST, LOGOUT, RC_FILES, RUNTIME, TELL_FACTS } from './doctor-parts.ts';
import { templateVariables, templateWord } from './expand.ts';
import { ROOT_MARKER } from './layout.ts';
import { TRY_SCOPE } from './logout.ts';
import { quote } from './quote.ts';
import { parseValue, replyInvalid, splitReply } from './reply.ts';
import { setupLines } from './task-script.ts';

export interface DoctorPlan {
  rootTemplate: string;
  runtime: string;
  setup?: string | undefined;
  /** A line that a login shell printed by itself: rc files are searched for it. */
  noise?: string | undefined;
  /** Where pulled images go. */
  imagesTemplate: string;
  registries: readonly AskedRegistry[];
  /** What is asked of a scheduler, by a text of its own; it answers with lines of other verbs. */
  scheduler?: string | undefined;
}

const count = z.coerce.number().int().nonnegative();
const flag = z.enum(['0', '1']).transform((value) => value === '1');

const factsSchema = z.object({
  user: z.string().min(1),
  uid: count,
  home: z.string(),
  hostname: z.string().min(1),
  loginShell: z.string().optional(),
  clockMs: count,
  /** A variable of the root's name that has no value on the host. */
  rootUnset: z.string().optional(),
  root: z.string().optional(),
  rootKind: z.enum(['absent', 'directory', 'symlink', 'other']).optional(),
  rootTarget: z.string().optional(),
  rootOwner: z.string().optional(),
  rootOurs: flag.optional(),
  rootMode: z.string().optional(),
  rootMarker: z.string().optional(),
  /** Something in it that is not of Towline. */
  rootForeign: z.string().optional(),
  /** The nearest directory that is there: the root itself, or where it would be made. */
  anchor: z.string().optional(),
  canMake: flag.optional(),
  canFill: flag.optional(),
  canRun: flag.optional(),
  fsType: z.string().optional(),
  freeBytes: count.optional(),
  freeInodes: count.optional(),
  inodes: count.optional(),
  homeFreeBytes: count.optional(),
  homeFreeInodes: count.optional(),
  homeInodes: count.optional(),
  homeRuns: flag.optional(),
  tmp: z.string().optional(),
  tmpWritable: flag.optional(),
  tmpFreeBytes: count.optional(),
  systemd: flag.optional(),
  killUserProcesses: z.string().optional(),
  killExclude: z.string().optional(),
  killFile: z.string().optional(),
  linger: flag.optional(),
  userScope: flag.optional(),
  cgroup: z.string().optional(),
  setupValid: flag.optional(),
  runtimePath: z.string().optional(),
  runtimeVersion: z.string().optional(),
  runtimeElsewhere: z.string().optional(),
  modules: flag.optional(),
  setuid: flag.optional(),
  userns: flag.optional(),
  usernsClone: z.string().optional(),
  usernsMax: z.string().optional(),
  usernsApparmor: z.string().optional(),
  subuid: flag.optional(),
  fuseDevice: z.enum(['absent', 'denied', 'usable']).optional(),
  squashfuse: z.string().optional(),
  mksquashfs: z.string().optional(),
  imagesDir: z.string().optional(),
  imagesKind: z.literal('other').optional(),
  imagesWritable: flag.optional(),
  imagesCount: count.optional(),
  imagesFsType: z.string().optional(),
  imagesFreeBytes: count.optional(),
  imagesOnHome: flag.optional(),
  gpuTool: z.enum(['nvidia-smi', 'rocm-smi']).optional(),
  gpuCode: count.optional(),
  gpuCount: count.optional(),
  gpuWords: z.string().optional(),
  /** A card on the bus, whoever drives it. */
  gpuCard: z.enum(['NVIDIA', 'AMD']).optional(),
});

const toolsSchema = z.record(z.string(), flag);

export interface DoctorFacts extends z.infer<typeof factsSchema> {
  tools: Record<string, boolean>;
  /** Start-up files of the login shell, those that print first: path, line and its text if it prints. */
  rcFiles: { path: string; line?: string | undefined }[];
  /** What `quota` says about file systems over their limit. */
  quota: string[];
  /** Overlay images of ended attempts, and the process that has one open. */
  overlays: { pid: string; path: string }[];
  /** Those asked; with words where nothing answered. */
  registries: { name: string; words?: string | undefined }[];
}

/**
 * Gives the text.
 * @throws CONFIG_VALUE_INVALID on a root that can never be absolute.
 */
export function doctorText(plan: DoctorPlan): string {
  const unset = templateVariables(plan.rootTemplate).map(
    (name) => `[ -n "$${name}" ] || { fact rootUnset ${name}; unset=1; }`,
  );
  return [
    TELL_FACTS,
    `marker=${ROOT_MARKER} runtime=${quote(plan.runtime)} unset=`,
    HOST,
    ...(plan.noise === undefined ? [] : [`noise=${quote(plan.noise)}`, RC_FILES]),
    ...unset,
    `[ -n "$unset" ] || { root=${templateWord(plan.rootTemplate)}; look_at_root; }`,
    LOGOUT,
    TRY_SCOPE,
    ...checkedSetup(plan.setup),
    RUNTIME,
    imagesText(plan.imagesTemplate),
    OVERLAYS,
    ...(plan.registries.length === 0 ? [] : [registriesText(plan.registries)]),
    GPUS,
    ...(plan.scheduler === undefined ? [] : [plan.scheduler]),
    "echo '@ done'",
  ].join('\n');
}

/** Reads the reply. @throws HOST_REPLY_INVALID */
export function parseDoctor(output: string, query: { host: string }): DoctorFacts {
  const purpose = `examining host ${query.host}`;
  const { lines, noise } = splitReply(output);
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const words: Record<'fact' | 'tool', Record<string, string>> = { fact: {}, tool: {} };
  const rcFiles: DoctorFacts['rcFiles'] = [];
  const quota: string[] = [];
  const overlays: DoctorFacts['overlays'] = [];
  const registries: DoctorFacts['registries'] = [];
  for (const { verb, rest } of lines) {
    const space = rest.indexOf(' ');
    const value = space === -1 ? '' : rest.slice(space + 1);
    if (verb === 'rc') rcFiles.push({ path: rest });
    else if (verb === 'loud') rcFiles.at(-1)!.line = rest;
    else if (verb === 'quota') quota.push(rest);
    else if (verb === 'overlay') overlays.push({ pid: rest.slice(0, space), path: value });
    else if (verb === 'registry') registries.push(registryOf(rest));
    else if ((verb === 'fact' || verb === 'tool') && value !== '')
      words[verb][rest.slice(0, space)] = value;
  }
  const facts = parseValue(factsSchema, words.fact, purpose);
  const loudFirst = rcFiles.toSorted(
    (a, b) => Number(b.line !== undefined) - Number(a.line !== undefined),
  );
  return {
    ...facts,
    tools: parseValue(toolsSchema, words.tool, purpose),
    rcFiles: loudFirst,
    quota,
    overlays,
    registries,
  };
}

/** `NAME ok`, or `NAME failed WORDS`. */
function registryOf(rest: string): DoctorFacts['registries'][number] {
  const [name = '', verdict, ...words] = rest.split(' ');
  return verdict === 'ok' ? { name } : { name, words: words.join(' ') };
}

/** A text that is no shell would end the shell that evaluates it. */
function checkedSetup(setup: string | undefined): string[] {
  if (setup === undefined) return [];
  const [run = ':'] = setupLines(setup);
  return [
    `if sh -n -c ${quote(setup)} 2>/dev/null; then fact setupValid 1; ${run}; else fact setupValid 0; fi`,
  ];
}
