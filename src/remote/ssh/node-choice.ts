/**
 * Which login node of a host is tried next, and what it means when none can be used. The order is that of
 * the configuration; a node that refused us or turned us away rests for as long as a host with one node
 * would be left alone, while the others serve. Pure.
 */
import { AppError, type ErrorCode } from '../../domain/failure.ts';
import { REFUSALS } from './refusals.ts';

/** Why a node was not used when it was tried last. */
export interface NodeTrouble {
  error: AppError;
  /** When it failed in this way first. */
  since: number;
  /** Before this it is not tried by ourselves. */
  restsUntil: number;
}

/** What one node can be to blame for; the rest is over for all: nobody answered, the host was closed. */
const OF_THE_NODE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...REFUSALS,
  'SSH_HOST_NAME_UNKNOWN',
  'SSH_CONNECTION_REFUSED',
  'SSH_HOST_UNREACHABLE',
  'SSH_CONNECTION_LOST',
  'SSH_HOST_BUSY',
  'SSH_NEEDS_LOGIN',
  'SSH_CHANNEL_REFUSED',
  'SSH_PROTOCOL',
  'HOST_SHELL_UNUSABLE',
  'HOST_COMMAND_TIMEOUT',
  'HOST_REPLY_INVALID',
  'SFTP_FAILED',
]);

/** The indices of the nodes to try in one attempt to connect, each once. Never empty for a host with nodes. */
export function nodesToTry(troubles: readonly (NodeTrouble | undefined)[], now: number): number[] {
  const rests = troubles.map((trouble) => trouble?.restsUntil ?? 0);
  const awake = rests.flatMap((until, index) => (until <= now ? [index] : []));
  if (awake.length > 0 || rests.length === 0) return awake;
  // Whoever asks has waited as long as the host as a whole was to be left alone.
  return [rests.indexOf(Math.min(...rests))];
}

/** The next node may do better. */
export function isOfTheNode({ code }: AppError): boolean {
  return OF_THE_NODE.has(code);
}

/** What a failure just now means for the node: how long it is left alone, and since when it is in trouble. */
export function troubleOf(
  error: AppError,
  {
    now,
    refusedRetryMs,
    before,
  }: { now: number; refusedRetryMs: number; before?: NodeTrouble | undefined },
): NodeTrouble {
  const since = before?.error.code === error.code ? before.since : now;
  const { retryAt } = error.context;
  const refused = REFUSALS.has(error.code) ? now + refusedRetryMs : now;
  return { error, since, restsUntil: typeof retryAt === 'number' ? retryAt : refused };
}

/**
 * The failure of a host that has no node to go to, given those of all its nodes in their order: what a
 * person can mend at once by a login comes first, then what may pass by itself, soonest first.
 */
export function noNodeLeft(host: string, errors: readonly AppError[]): AppError {
  const wantsPerson = errors.find(({ code }) => code === 'SSH_NEEDS_LOGIN');
  const passes = errors.find(({ code }) => code !== 'SSH_HOST_BUSY' && !REFUSALS.has(code));
  const busy = errors.filter(({ code }) => code === 'SSH_HOST_BUSY').toSorted(bySoonest)[0];
  const told = wantsPerson ?? passes ?? busy ?? (errors[0] as AppError);
  const all = errors.map(({ message }) => message).join('; ');
  const message = `none of the ${errors.length} login nodes of host ${host} can be used: ${all}`;
  return new AppError(told.code, message, { context: told.context, cause: told });
}

function bySoonest(a: AppError, b: AppError): number {
  return Number(a.context['retryAt'] ?? 0) - Number(b.context['retryAt'] ?? 0);
}
