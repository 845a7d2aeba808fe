/** Judges the key a host shows against what the known_hosts files say. Pure. */
import { createHash } from 'node:crypto';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import type { HostPins, LinePlace, PinnedKey } from './known-hosts.ts';

/** As `ssh-keygen -l` shows it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Undefined: the key is pinned and not revoked. Anything else must end the connection. */
export function judgeHostKey(
  pins: HostPins,
  offered: Buffer,
  context: ErrorContext,
): AppError | undefined {
  const who = `host ${context['host']} (${context['hostname']}:${context['port']})`;
  const shown = fingerprint(offered);
  const facts = { ...context, offered: shown };
  const [bad] = pins.badRevoked;
  if (bad !== undefined) {
    const message = `${who} offered key ${shown}; ${place(bad)} revokes a key, but ${bad.reason}, so no key can be trusted`;
    return new AppError('SSH_HOST_KEY_REVOKED', message, {
      context: { ...facts, knownHosts: bad.file },
    });
  }
  const revoked = pins.revoked.find((key) => key.blob.equals(offered));
  if (revoked !== undefined) {
    const message = `${who} offered key ${shown}, which is marked @revoked at ${place(revoked)}`;
    return new AppError('SSH_HOST_KEY_REVOKED', message, {
      context: { ...facts, knownHosts: revoked.file },
    });
  }
  if (pins.pinned.some((key) => key.blob.equals(offered))) return undefined;
  if (pins.pinned.length > 0) return changedKey(pins.pinned, `offered key ${shown}`, facts);
  return unknownKey(pins, `${who} offered key ${shown}`, facts);
}

/** The refusal for a host that has a pinned key and did not show it. */
export function changedKey(pinned: PinnedKey[], did: string, context: ErrorContext): AppError {
  const who = `host ${context['host']} (${context['hostname']}:${context['port']})`;
  const pins = pinned.map((key) => `${key.type} ${fingerprint(key.blob)} at ${place(key)}`);
  const message = `${who} ${did}, but its pinned key is ${pins.join(', or ')}`;
  const [first] = pinned;
  return new AppError('SSH_HOST_KEY_CHANGED', message, {
    context: { ...context, knownHosts: first?.file, pinned: first && fingerprint(first.blob) },
  });
}

function unknownKey(pins: HostPins, did: string, context: ErrorContext): AppError {
  const skipped = pins.unusable.map((line) => `${place(line)} cannot be used: ${line.reason}`);
  const where = skipped.length === 0 ? '' : ` (${skipped.join('; ')})`;
  const message = `${did}, which is in no known_hosts file${where}`;
  return new AppError('SSH_HOST_KEY_UNKNOWN', message, { context });
}

function place({ file, line }: LinePlace): string {
  return `${file}:${line}`;
}
