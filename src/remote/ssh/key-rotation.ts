/**
 * New keys of a host that is known: after a login OpenSSH's server tells all its keys, and the library
 * has it prove, over that same verified link, that it holds the private half of each
 * (hostkeys-prove-00@openssh.com). Where Towline's own file holds the host, proven keys are added to it,
 * so that the site can change over. Nothing is removed: an old key goes by `host trust --replace`.
 */
import type { ParsedKey } from 'ssh2';
import { toAppError } from '../../domain/failure.ts';
import type { HostDeps } from '../deps.ts';
import type { HostSettings } from '../settings.ts';
import { SIGNATURES } from './algorithms.ts';
import { hostContext } from './connect.ts';
import { fingerprint } from './host-key.ts';
import type { HostPins } from './known-hosts.ts';
import { pinName, readPins } from './read-pins.ts';
import { changePins, type PublicKey } from './trust-file.ts';

/** No server has more keys; a list from a hostile one ends here. */
const PROVEN_MAX = 16;

/** What the library gives after the proof, as keys of ours. */
export function provenKeys(keys: readonly ParsedKey[]): PublicKey[] {
  return keys.map((key) => ({ type: key.type, blob: key.getPublicSSH() }));
}

/** The keys to add: of a host that our file holds, usable, new to all files, and not revoked. Pure. */
export function keysToAdopt(
  pins: HostPins,
  file: string,
  proven: readonly PublicKey[],
): PublicKey[] {
  const ours = pins.pinned.filter((pin) => pin.file === file);
  const stillOurs = ours.some((pin) => proven.some(({ blob }) => blob.equals(pin.blob)));
  if (!stillOurs || pins.badRevoked.length > 0 || proven.length > PROVEN_MAX) return [];
  const known = [...pins.pinned, ...pins.revoked];
  return proven.filter(
    ({ type, blob }) =>
      Object.hasOwn(SIGNATURES, type) && !known.some((pin) => pin.blob.equals(blob)),
  );
}

/** What a door does with proven keys. Failures are logged: a link is not lost for them. */
export function adoptHostKeys(
  settings: HostSettings,
  { logger, clock }: HostDeps,
): (proven: PublicKey[]) => void {
  const { name, trustedKeysFile: file } = settings;
  return (proven) => {
    if (file === undefined) return;
    adopt(file).catch((error: unknown) => {
      const { code, message } = toAppError(error);
      logger.warn({ host: name, code, message, file }, 'new host keys were not written');
    });

    async function adopt(path: string): Promise<void> {
      const pins = await readPins(settings, hostContext(settings));
      const add = keysToAdopt(pins, path, proven);
      if (add.length === 0) return;
      const day = new Date(clock.now()).toISOString().slice(0, 10);
      const change = { add, keep: () => true, comment: `proven ${day}` };
      await changePins(path, { name: pinName(settings), ...change });
      const keys = add.map(({ type, blob }) => `${type} ${fingerprint(blob)}`);
      logger.info({ host: name, keys, file: path }, 'the host proved more keys; they are pinned');
    }
  };
}
