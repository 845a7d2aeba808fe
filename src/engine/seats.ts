/**
 * The hosts as the engine sees them: the bridge, the policy, what was found at first contact, and
 * what is shared by all tasks of a host (its watcher, its pulls, its uploads).
 */
import PQueue from 'p-queue';
import { AppError, type FailureRecord } from '../domain/failure.ts';
import type { HostMode } from '../domain/host-mode.ts';
import type { AttemptToken } from '../domain/task.ts';
import type { Host } from '../remote/host.ts';
import type { HeldRoots } from '../script/probe.ts';
import { createGate, createShutGate } from './gate.ts';
import { createLooks, type Looks, type ReadyFacts } from './host-looks.ts';
import type { HostJobs } from './jobs/host-jobs.ts';
import type { Logger } from './logger.ts';
import { createPollPace, type PollPace } from './poll-pace.ts';
import type { EngineSettings, HostPolicy } from './settings.ts';
import { createSharing, type Share } from './sharing.ts';

export interface Seat {
  readonly name: string;
  readonly policy: HostPolicy;
  readonly host: Host;
  /** Absent: tasks are started on the host itself. */
  readonly jobs?: HostJobs | undefined;
  /** What it may be used for just now. */
  mode: () => HostMode;
  /** Closes the links; whoever calls the host hears HOST_PAUSED until resume. */
  pause: () => Promise<void>;
  resume: () => void;
  /** Bounds parallel transfers. */
  readonly transfers: PQueue;
  readonly pulls: PQueue;
  /** Looks at running tasks. */
  readonly polls: PollPace;
  readonly facts: Looks['facts'];
  readonly look: Looks['look'];
  readonly knownFacts: Looks['known'];
  readonly ready: Looks['ready'];
  /** The directory of an attempt below the root it was launched in. */
  attemptDir: (root: string, token: AttemptToken) => string;
  lastFailure(): FailureRecord | undefined;
  /** Pulls and uploads that several tasks want. */
  readonly share: Share;
}

export type { ReadyFacts };

export interface Seats {
  all(): Seat[];
  /** @throws HOST_UNKNOWN */
  get(name: string): Seat;
  /** This machine: a host of type local, or one that stands in no list and gets no tasks. */
  here(): Seat | undefined;
  /** Opens new hosts, closes those that are gone, keeps the others. */
  reload(
    hosts: EngineSettings['hosts'],
    thisMachine?: EngineSettings['thisMachine'],
  ): Promise<void>;
  close(): Promise<void>;
}

interface SeatsDeps {
  daemonId: string;
  log: Logger;
  now: () => number;
  modeOf: (name: string) => HostMode;
  /** Why no host may be reached at all, if that is so. */
  shut?: (() => AppError) | undefined;
  /** Roots of a host that attempts may be in. */
  held: (name: string) => HeldRoots;
  /** A host came back, or went. */
  onLink: (name: string, ready: boolean) => void;
}

export function createSeats(deps: SeatsDeps): Seats {
  const seats = new Map<string, Seat & { close(): Promise<void> }>();
  let unlisted: (Seat & { close(): Promise<void> }) | undefined;
  return {
    all: () => [...seats.values()],
    get(name) {
      const seat = seats.get(name);
      if (seat !== undefined) return seat;
      const known = [...seats.keys()].join(', ') || 'none';
      throw new AppError('HOST_UNKNOWN', `no host ${name} is configured (configured: ${known})`, {
        context: { host: name },
      });
    },
    here: () => [...seats.values()].find(({ policy }) => policy.type === 'local') ?? unlisted,
    async reload(hosts, thisMachine) {
      if (unlisted?.policy.configured !== thisMachine?.policy.configured) {
        await unlisted?.close();
        unlisted = thisMachine && createSeat(deps, thisMachine.policy, thisMachine.open);
      }
      const wanted = new Map(hosts.map((entry) => [entry.policy.name, entry]));
      for (const [name, seat] of seats) {
        const next = wanted.get(name);
        if (next !== undefined && next.policy.configured === seat.policy.configured)
          wanted.delete(name);
        else {
          seats.delete(name);
          await seat.close();
        }
      }
      for (const [name, { policy, open }] of wanted)
        seats.set(name, createSeat(deps, policy, open));
    },
    async close() {
      await Promise.all([unlisted?.close(), ...[...seats.values()].map((seat) => seat.close())]);
    },
  };
}

function createSeat(
  deps: SeatsDeps,
  policy: HostPolicy,
  open: () => Host,
): Seat & { close(): Promise<void> } {
  const mode = (): HostMode => deps.modeOf(policy.name);
  const gate = deps.shut
    ? createShutGate(policy.name, deps.shut)
    : createGate(policy.name, open, mode() === 'paused');
  const { host } = gate;
  const onFound = (): void => deps.onLink(policy.name, true);
  const looks = createLooks({
    ...{ policy, host, onFound, now: deps.now },
    held: () => deps.held(policy.name),
  });
  const stopListening = host.onLinkState((state) => {
    if (state.kind !== 'ready') looks.expire();
    if (['ready', 'unreachable', 'refused', 'needs-login'].includes(state.kind)) {
      deps.onLink(policy.name, state.kind === 'ready');
    }
  });

  return {
    name: policy.name,
    policy,
    host,
    jobs: policy.jobs,
    mode,
    pause: gate.pause,
    resume: gate.resume,
    transfers: new PQueue({ concurrency: Math.max(1, policy.transferLinks) }),
    pulls: new PQueue({ concurrency: policy.pull.maxConcurrent }),
    polls: createPollPace(policy.pollsPerSecond),
    facts: looks.facts,
    look: looks.look,
    knownFacts: looks.known,
    ready: looks.ready,
    attemptDir: (root, token) => `${root}/tasks/${deps.daemonId}/${token}`,
    lastFailure: looks.lastFailure,
    share: createSharing(),
    async close() {
      stopListening();
      await host.close();
    },
  };
}
