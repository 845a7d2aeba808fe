/** The product with one guard taken away, each by its name: the simulator must find every one of them out. */
import { decide } from '../../src/domain/decide.ts';
import type { Effect } from '../../src/domain/effects.ts';
import type { FaultName } from './faults.ts';
import { type Guards, type HostGuards, REAL } from './guards.ts';

export interface Control {
  name: string;
  guards: Guards;
  /** What it may break. */
  breaks: RegExp;
  /** Those that bring it out soon; absent: all. */
  faults?: readonly FaultName[];
}

const withHost = (host: Partial<HostGuards>): Guards => ({
  ...REAL,
  host: { ...REAL.host, ...host },
});

export const CONTROLS: readonly Control[] = [
  {
    name: 'a supervisor starts without having won the ticket',
    guards: withHost({ ownNonce: false }),
    faults: ['reset', 'crash', 'stop'],
    breaks: /one start|no start after the end|ended is dead/,
  },
  {
    name: 'a launch publishes again what is published',
    guards: withHost({ publishOnce: false }),
    breaks: /one start|no start after the end|ended is dead/,
  },
  {
    name: 'a cancel sees the ticket and does not take it',
    guards: withHost({ cancelTakesTicket: false }),
    breaks: /no start after the end|ended is dead|convergence/,
  },
  {
    name: 'a cancel does not ask on which machine it is',
    guards: withHost({ cancelKnowsPlace: false }),
    breaks: /ended is dead/,
  },
  {
    name: 'what was cleaned away leaves no mark',
    guards: withHost({ endedMark: false }),
    faults: ['reset', 'stop', 'cancel', 'kill'],
    breaks: /one start|no start after the end|ended is dead/,
  },
  {
    name: 'the command starts before the claim is on disk',
    guards: withHost({ durableClaim: false }),
    faults: ['power', 'reset'],
    breaks: /one start|no start after the end|ended is dead|convergence/,
  },
  {
    name: 'the name of an attempt is not on disk when its command starts',
    guards: withHost({ durablePublish: false }),
    breaks: /one start|no start after the end|ended is dead/,
  },
  {
    name: 'the record of a supervisor is not on disk when it takes the ticket',
    guards: withHost({ durableRecord: false }),
    faults: ['power', 'stop', 'reset'],
    breaks: /convergence/,
  },
  {
    name: 'an attempt gets its name before its files are on disk',
    guards: withHost({ durableContent: false }),
    faults: ['power', 'reset'],
    breaks: /convergence|trouble is no end/,
  },
  {
    name: 'the watcher of the time outlives all others',
    guards: withHost({ timerLeavesWithAll: false }),
    breaks: /convergence/,
  },
  {
    name: 'a cancel is told to the host only once',
    guards: { ...REAL, askAgainMs: Number.POSITIVE_INFINITY },
    breaks: /convergence/,
  },
  {
    name: 'a supervisor that is not seen is believed dead at once, and nobody looks for survivors',
    guards: {
      ...REAL,
      isEnd: (seen) => seen.verdict.kind === 'dead-suspect' || REAL.isEnd(seen),
      parseSurvivors: () => ({ payload: [], crew: [] }),
    },
    breaks: /ended is dead|interrupted has no record/,
  },
  {
    name: 'survivors are looked for on whatever machine the name leads to',
    guards: withHost({ survivorsKnowPlace: false }),
    faults: ['kill', 'otherMachine'],
    breaks: /ended is dead|the true end/,
  },
  {
    name: 'another boot id is a reboot, whichever machine it is of',
    guards: {
      ...REAL,
      judge: ({ host, launch, ...rest }) => {
        if (launch === undefined) return REAL.judge({ host, launch, ...rest });
        const { machineId, hostname } = launch;
        return REAL.judge({ host: { ...host, machineId, hostname }, launch, ...rest });
      },
    },
    breaks: /ended is dead/,
  },
  {
    name: 'a root that cannot be seen means that the attempt is gone',
    guards: {
      ...REAL,
      judge: (evidence) =>
        evidence.facts.directory === 'unseen' ? { kind: 'rebooted' } : REAL.judge(evidence),
    },
    breaks: /ended is dead|interrupted has no record/,
  },
  {
    name: 'trouble with the host ends a task',
    guards: { ...REAL, mayPass: () => false },
    breaks: /trouble is no end|ended is dead|no start after the end/,
  },
  {
    name: 'orders are carried out before they are on disk',
    guards: { ...REAL, commitBeforeAct: false },
    breaks: /clean after the end/,
  },
  {
    name: 'what has exited is cleaned while its outputs are fetched',
    guards: {
      ...REAL,
      advance: (live, event, at) => {
        const judged = REAL.advance(live, event, at);
        if (judged.kind !== 'next' || judged.change.task.state.kind !== 'collecting') return judged;
        const { change } = judged;
        const clean: Effect = { kind: 'clean', attempt: change.task.state.attempt };
        return { kind: 'next', change: { ...change, effects: [...change.effects, clean] } };
      },
    },
    breaks: /orders|outputs before clean|clean after the end/,
  },
  {
    name: 'whatever fails is tried again',
    guards: {
      ...REAL,
      advance: (live, event, at) => {
        const judged = REAL.advance(live, event, at);
        if (judged.kind !== 'next' || judged.change.task.state.kind !== 'failed') return judged;
        const again = decide(judged.change.task, { kind: 'retry-asked' }, at);
        if (again.kind !== 'next') return judged;
        const task = { ...again.task, version: judged.change.task.version };
        return { kind: 'next', change: { ...judged.change, task } };
      },
    },
    breaks: /retry by policy/,
  },
  {
    name: 'a refused launch ends the task at once, though an earlier one may come',
    faults: ['reset', 'givenAway', 'stop'],
    guards: {
      ...REAL,
      advance: (live, event, at) => {
        const { state } = live.task;
        if (event.kind !== 'step-failed' || state.kind !== 'launching')
          return REAL.advance(live, event, at);
        const { failure } = event;
        const ended = { kind: 'error' as const, attempt: state.attempt, host: state.host, failure };
        const end = { ...ended, outputs: [], finishedAt: at, cleanup: 'kept' as const };
        const task = { ...live.task, state: end, version: live.task.version + 1 };
        return { kind: 'next', change: { task, events: [], effects: [] } };
      },
    },
    breaks: /no start after the end|ended is dead|the true end/,
  },
];
