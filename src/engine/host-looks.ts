/** First contact: what a host is and has, looked at once per connection and kept. */
import { AppError, type FailureRecord, toAppError } from '../domain/failure.ts';
import type { Host } from '../remote/host.ts';
import { type HeldRoots, type HostFacts, parseProbe, probeText } from '../script/probe.ts';
import type { HostPolicy } from './settings.ts';

export type ReadyFacts = HostFacts & { runtime: NonNullable<HostFacts['runtime']> };

export interface Looks {
  /** What was found on this connection, looked for now if need be. @throws SSH_* HOST_* */
  facts: () => Promise<HostFacts>;
  /** Looks now, whatever is known; a person may say that a root which is gone is to be made anew. @throws as facts */
  look: (how?: { makeRoot: boolean }) => Promise<HostFacts>;
  /** Asks for the runtime, too. @throws RUNTIME_NOT_FOUND and as facts */
  ready: () => Promise<ReadyFacts>;
  /** What was found last, on whatever connection. */
  known: () => HostFacts | undefined;
  lastFailure: () => FailureRecord | undefined;
  /** The next connection may reach another machine, or the same one after a reboot. */
  expire: () => void;
}

interface RootSeen {
  name: string;
  before: HostFacts | undefined;
  seen: HostFacts;
  held: HeldRoots;
}

/**
 * Behind another login node the root may be one of that node alone: in there, what may have started already
 * would seem never to have been there, and could start again.
 */
export function refuseOtherRoot({ name, before, seen, held }: RootSeen): void {
  const same = before?.rootId === undefined || before.rootId === seen.rootId;
  if (same || before.root !== seen.root || seen.rootId === undefined) return;
  if (held !== 'any' && !held.includes(seen.root)) return;
  const why = `host ${name} is ${seen.hostname} now, and ${seen.root} there is not the one that its tasks are in on ${before.hostname}`;
  throw new AppError('HOST_ROOT_UNAVAILABLE', why, { context: { host: name } });
}

interface LooksDeps {
  policy: HostPolicy;
  host: Host;
  onFound: () => void;
  /** Roots that attempts may be in just now. */
  held: () => HeldRoots;
  now: () => number;
}

export function createLooks({ policy, host, onFound, held, now }: LooksDeps): Looks {
  let found: HostFacts | undefined;
  let fresh = false;
  let failure: FailureRecord | undefined;
  let looking: Promise<HostFacts> | undefined;

  async function look(makeRoot = false): Promise<HostFacts> {
    try {
      const { root: rootTemplate, runtime, setup, name } = policy;
      const roots = makeRoot ? [] : held();
      const text = probeText({ rootTemplate, runtime, setup, held: roots });
      const result = await host.run(text, { purpose: `looking at host ${name}` });
      const seen = parseProbe(result.output, { host: name, now: now() });
      refuseOtherRoot({ name, before: found, seen, held: roots });
      found = seen;
      fresh = true;
      failure = undefined;
      onFound();
      return found;
    } catch (error) {
      failure = toAppError(error).toRecord();
      throw error;
    }
  }

  /** Those who come while somebody looks share what is found. */
  function lookOnce(): Promise<HostFacts> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function facts(): Promise<HostFacts> {
    return fresh && found !== undefined ? found : lookOnce();
  }

  async function ready(): Promise<ReadyFacts> {
    let seen = await facts();
    // Somebody may have installed it since: look again before saying no.
    if (seen.runtime === undefined) seen = await lookOnce();
    if (seen.runtime !== undefined) return { ...seen, runtime: seen.runtime };
    throw new AppError(
      'RUNTIME_NOT_FOUND',
      `host ${policy.name} has no container runtime: ${policy.runtime} is not there or does not run`,
      { context: { host: policy.name } },
    );
  }

  return {
    facts,
    look: ({ makeRoot } = { makeRoot: false }) => (makeRoot ? look(true) : lookOnce()),
    ready,
    known: () => found,
    lastFailure: () => failure,
    expire: () => {
      fresh = false;
    },
  };
}
