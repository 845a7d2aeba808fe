/**
 * What the facts mean (the table of docs/remote-protocol.md). Liveness has three values: proof of life,
 * proof of end, unknown; unknown waits. "I cannot see it" never means "it is done".
 */
import type { SupervisorRecord } from '../domain/state.ts';
import type { AttemptExit } from './records.ts';
import type { AttemptFacts, HostFactsNow } from './status.ts';

export type Verdict =
  /** The root is fine and has no directory of this attempt: it may be launched. */
  | { kind: 'not-published' }
  /** The ticket is there: a supervisor may be started, always safely. */
  | { kind: 'not-started' }
  /** It never started and never will. */
  | { kind: 'cancelled' }
  | { kind: 'exited'; exit: AttemptExit }
  /** Its ticket was taken by a supervisor that is not known here. */
  | { kind: 'started' }
  | { kind: 'running'; stdoutBytes: number; stderrBytes: number }
  /**
   * The supervisor is not there and there is no exit record. Look again with fresh eyes (`sightings`
   * counts), ask for survivors and what the leader left, before it is called interrupted.
   */
  | { kind: 'dead-suspect'; sightings: number }
  /** Same machine, another boot, no exit record: it is provably dead. */
  | { kind: 'rebooted' }
  | { kind: 'unknown'; why: string };

/** What a verdict is made from. */
export interface Evidence {
  host: HostFactsNow;
  facts: AttemptFacts;
  /** Absent: it was never seen started. */
  launch?: SupervisorRecord | undefined;
  /** The verdict before, for counting sightings. */
  previous?: Verdict | undefined;
  /** A job of a scheduler runs it, on another machine: whether that lives is the scheduler's to tell. */
  byJob?: boolean | undefined;
}

/** Judges one attempt from what was seen in one look. */
export function judge(evidence: Evidence): Verdict {
  const { facts, launch } = evidence;
  if (facts.directory === 'unseen')
    return { kind: 'unknown', why: 'the remote root cannot be seen' };
  if (facts.directory === 'gone') return judgeGone(launch);
  if (facts.exit !== undefined) return { kind: 'exited', exit: facts.exit };
  if (facts.cancelled) return { kind: 'cancelled' };
  if (facts.ticket) return { kind: 'not-started' };
  if (launch === undefined) return { kind: 'started' };
  return judgeStarted(evidence, launch);
}

/** A directory that was seen started does not vanish by itself: somebody removed it, or a mount is away. */
function judgeGone(launch: SupervisorRecord | undefined): Verdict {
  if (launch === undefined) return { kind: 'not-published' };
  return { kind: 'unknown', why: 'the directory of the started attempt is gone' };
}

function judgeStarted(
  { host, facts, previous, byJob }: Evidence,
  launch: SupervisorRecord,
): Verdict {
  const running = {
    kind: 'running',
    stdoutBytes: facts.stdoutBytes ?? 0,
    stderrBytes: facts.stderrBytes ?? 0,
  } as const;
  if (byJob === true) return running;
  if (!sameMachine(host, launch)) {
    return { kind: 'unknown', why: `it runs on ${launch.hostname}, this is ${host.hostname}` };
  }
  if (host.bootId !== launch.bootId) return { kind: 'rebooted' };
  if (facts.supervisorStart === launch.startTicks) return running;
  const before = previous?.kind === 'dead-suspect' ? previous.sightings : 0;
  return { kind: 'dead-suspect', sightings: before + 1 };
}

/** Cloned machines share a machine id, so the name has to agree as well; containers may have no id. */
function sameMachine(host: HostFactsNow, launch: SupervisorRecord): boolean {
  return host.machineId === launch.machineId && host.hostname === launch.hostname;
}
