/**
 * Examines a host from the name to a running container, whatever state it is in: looks with one login
 * of its own, tells each finding as soon as it is known, never fails. Read next: sections.ts.
 */
import { toAppError } from '../../domain/failure.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Host, Inspection, LinkInspection } from '../../remote/host.ts';
import { doctorText, parseDoctor } from '../../script/doctor.ts';
import { containerText, parseContainer } from '../../script/doctor-container.ts';
import type { HostPolicy } from '../settings.ts';
import { registriesOf } from './asked-registries.ts';
import type { Case } from './case.ts';
import { createFeed } from './feed.ts';
import { otherReader } from './judge-shell.ts';
import { notLookedAt, type Section, sectionsOf } from './sections.ts';

const FACTS_DEADLINE_MS = 20_000;
/** Of the commands that doctor gives a scheduler, each of which has its own. */
const SCHEDULER_DEADLINE_MS = 45_000;
const CONTAINER_DEADLINE_MS = 60_000;

export interface Patient {
  host: Host;
  policy: HostPolicy;
  now: () => number;
  /** Those of tasks that name none. */
  defaultImages?: readonly string[] | undefined;
}

/** Findings in the order of SECTIONS; whoever stops listening stops nothing but the telling. */
export function examine(patient: Patient): AsyncIterable<Finding> {
  const feed = createFeed<Finding>();
  look(patient, feed.push).then(feed.end, feed.fail);
  return feed;
}

async function look(patient: Patient, tell: (finding: Finding) => void): Promise<void> {
  const { host, policy } = patient;
  const found: Case = { policy, link: {} };
  const teller = createTeller(found, tell);
  const inspection = await host.inspect((link) => {
    found.link = link;
    teller.upTo((section) => isPart(section.after) && section.after in link);
  });
  try {
    found.link = inspection.link;
    teller.upTo((section) => isPart(section.after));
    if (canRun(found)) Object.assign(found, await factsOf(patient, inspection));
    teller.upTo((section) => section.after === 'facts');
    if (found.facts?.runtimeVersion !== undefined)
      Object.assign(found, await containerOf(patient, inspection, found.facts));
    teller.upTo(() => true);
  } finally {
    inspection.close();
  }
}

/** There is a shell, or no link is needed. */
function canRun(found: Case): boolean {
  const { link, policy } = found;
  if (policy.type === 'local') return true;
  if (otherReader(found) !== undefined) return false;
  return link.shell !== undefined && link.shell.failure === undefined;
}

async function factsOf(
  { policy, now, defaultImages }: Patient,
  { link, run }: Inspection,
): Promise<Partial<Case>> {
  const purpose = `examining host ${policy.name}`;
  try {
    const { root: rootTemplate, runtime, setup, imageCacheDir } = policy;
    const text = doctorText({
      ...{ rootTemplate, runtime, setup, noise: noiseOf(link) },
      imagesTemplate: imageCacheDir ?? `${rootTemplate}/images`,
      registries: registriesOf(policy, defaultImages ?? []),
      scheduler: policy.jobs?.scheduler.inspectText(),
    });
    const askedAt = now();
    const deadlineMs = FACTS_DEADLINE_MS + (policy.jobs === undefined ? 0 : SCHEDULER_DEADLINE_MS);
    const { output } = await run(text, { purpose, deadlineMs });
    const facts = parseDoctor(output, { host: policy.name });
    return { facts, skewMs: skewOf(facts.clockMs, askedAt, now()), schedulerSaid: output };
  } catch (error) {
    return { factsFailure: toAppError(error).toRecord() };
  }
}

/** The line that gives the file away; an empty one when the shell is silent but for its stderr. */
function noiseOf({ sftp, shell }: LinkInspection): string | undefined {
  const printed = sftp?.found?.noise || shell?.found?.noise;
  const lines = printed?.split('\n').map((line) => line.trim());
  return lines?.find((line) => line !== '');
}

/** The host's clock has whole seconds and was read somewhere in between. */
function skewOf(clockMs: number, askedAt: number, heardAt: number): number {
  if (clockMs + 1_000 < askedAt) return clockMs + 1_000 - askedAt;
  return clockMs > heardAt ? clockMs - heardAt : 0;
}

async function containerOf(
  { policy }: Patient,
  { run }: Inspection,
  facts: NonNullable<Case['facts']>,
): Promise<Partial<Case>> {
  const purpose = `a container on host ${policy.name}`;
  try {
    const { rootKind, root, anchor, canFill, home } = facts;
    const inRoot = rootKind === 'directory' && canFill === true && facts.rootOurs === true;
    const text = containerText({
      runtime: facts.runtimePath ?? policy.runtime,
      setup: policy.setup,
      imageDirectory: policy.imageCacheDir ?? `${root ?? home}/images`,
      scratch: inRoot && root !== undefined ? root : canFill === true ? (anchor ?? home) : home,
    });
    const { output } = await run(text, { purpose, deadlineMs: CONTAINER_DEADLINE_MS });
    return { container: parseContainer(output, { host: policy.name }) };
  } catch (error) {
    return { containerFailure: toAppError(error).toRecord() };
  }
}

function isPart(after: Section['after']): boolean {
  return after !== 'facts' && after !== 'container';
}

/** Tells sections in their order, each once; the first failure is why later ones were not looked at. */
function createTeller(found: Case, tell: (finding: Finding) => void) {
  const sections = sectionsOf(found.policy);
  let next = 0;
  let failed: string | undefined;
  return {
    upTo(isKnown: (section: Section) => boolean): void {
      for (
        let section = sections[next];
        section !== undefined && isKnown(section);
        section = sections[next]
      ) {
        next += 1;
        const { id, title } = section;
        const judgement = section.judge(found) ?? notLookedAt(section, found, failed);
        if (judgement === undefined) continue;
        if (judgement.level === 'failure') failed ??= title;
        tell({ id, title, ...judgement });
      }
    },
  };
}
