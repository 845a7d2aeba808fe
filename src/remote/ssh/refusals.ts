/** Which failures to connect only somebody can mend. */
import type { ErrorCode } from '../../domain/failure.ts';

/** Trouble that trying again does not mend. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SSH_AUTH_FAILED',
  'SSH_KEY_UNREADABLE',
  'SSH_AGENT_UNAVAILABLE',
  'SSH_JUMP_REFUSED',
  'SSH_KNOWN_HOSTS_UNREADABLE',
  'SSH_HOST_KEY_UNKNOWN',
  'SSH_HOST_KEY_CHANGED',
  'SSH_HOST_KEY_REVOKED',
]);
