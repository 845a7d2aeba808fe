/** Where a task stands, in the words of TES. */
import type { StateKind } from '../../domain/state.ts';

export const TES_STATES = [
  'UNKNOWN',
  'QUEUED',
  'INITIALIZING',
  'RUNNING',
  'PAUSED',
  'COMPLETE',
  'EXECUTOR_ERROR',
  'SYSTEM_ERROR',
  'CANCELED',
  'PREEMPTED',
  'CANCELING',
] as const;
export type TesState = (typeof TES_STATES)[number];

const STATES: Readonly<Record<StateKind, TesState>> = {
  held: 'QUEUED',
  waiting: 'QUEUED',
  queued: 'QUEUED',
  staging: 'INITIALIZING',
  pulling: 'INITIALIZING',
  launching: 'INITIALIZING',
  running: 'RUNNING',
  collecting: 'RUNNING',
  cancelling: 'CANCELING',
  succeeded: 'COMPLETE',
  failed: 'EXECUTOR_ERROR',
  error: 'SYSTEM_ERROR',
  cancelled: 'CANCELED',
  interrupted: 'SYSTEM_ERROR',
};

/** `failing`: it is being ended because it failed; nobody has asked for that. */
export function tesStateOf(kind: StateKind, failing: boolean): TesState {
  return failing ? 'RUNNING' : STATES[kind];
}

/** The states of Towline that are this one. */
export function kindsOf(state: TesState): { kind: StateKind; failing?: boolean }[] {
  const kinds = (Object.keys(STATES) as StateKind[]).filter((kind) => STATES[kind] === state);
  return kinds
    .map((kind) => (kind === 'cancelling' ? { kind, failing: false } : { kind }))
    .concat(state === 'RUNNING' ? [{ kind: 'cancelling', failing: true }] : []);
}
