/** Shows the keys of a host and pins those that somebody has compared. Read next: offered-keys.ts, trust-file.ts. */
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import type { Clock } from '../clock.ts';
import type { HostKeys, HostKeysReport, OfferedKey, PinRequest } from '../host-keys.ts';
import type { Logger } from '../logger.ts';
import { type Door, hostContext } from './connect.ts';
import { fingerprint } from './host-key.ts';
import { judgeOffers } from './host-key-verdict.ts';
import type { HostPins } from './known-hosts.ts';
import { offeredKeys } from './offered-keys.ts';
import { pinName, readPins } from './read-pins.ts';
import { changePins, type PublicKey } from './trust-file.ts';

/** So long what was shown counts as what is offered: time to compare it by phone. */
const SHOWN_FOR_MS = 900_000;

interface TrustDeps {
  door: Door;
  file: string;
  clock: Clock;
  logger: Logger;
}

export function createHostTrust({ door, file, clock, logger }: TrustDeps): HostKeys {
  const { settings } = door;
  const context = hostContext(settings);
  const name = pinName(settings);
  let shown: { at: number; keys: PublicKey[] } | undefined;

  async function ask(): Promise<PublicKey[]> {
    // Before the host is asked: what cannot be judged need not be fetched.
    await readPins(settings, context);
    shown = { keys: await offeredKeys(door), at: clock.now() };
    return shown.keys;
  }

  async function report(offers: readonly PublicKey[]): Promise<HostKeysReport> {
    return { name, file, keys: judgeOffers(await readPins(settings, context), offers) };
  }

  return {
    offered: async () => report(await ask()),
    async pin({ fingerprints, replace }) {
      const known = shown !== undefined && clock.now() - shown.at < SHOWN_FOR_MS ? shown.keys : [];
      const has = (keys: readonly PublicKey[]): boolean =>
        fingerprints.every((wanted) => keys.some(({ blob }) => fingerprint(blob) === wanted));
      const offers = has(known) ? known : await ask();
      const judged = await report(offers);
      const chosen = offers.filter(({ blob }) => fingerprints.includes(fingerprint(blob)));
      if (!has(offers)) throw notOffered(judged.keys, fingerprints, context);
      const pins = await readPins(settings, context);
      const replaced = checkPinnable(pins, { judged, chosen, replace, file, context });
      await changePins(file, {
        name,
        add: chosen,
        keep: ({ blob }) => !replaced.some((key) => key.blob.equals(blob)),
        comment: `trusted ${new Date(clock.now()).toISOString().slice(0, 10)}`,
      });
      const trusted = chosen.map(({ type, blob }) => `${type} ${fingerprint(blob)}`);
      logger.info(
        { host: settings.name, trusted, replaced: replaced.length, file },
        'host key trusted',
      );
      return await report(offers);
    },
  };
}

interface Checked extends Pick<PinRequest, 'replace'> {
  judged: HostKeysReport;
  chosen: readonly PublicKey[];
  file: string;
  context: ErrorContext;
}

/** The keys of our own file that have to go; throws when one stands in the way that is not ours to remove. */
function checkPinnable(pins: HostPins, checked: Checked): PublicKey[] {
  const { judged, chosen, replace, file, context } = checked;
  const verdicts = judged.keys.filter((key) =>
    chosen.some(({ blob }) => fingerprint(blob) === key.fingerprint),
  );
  const revoked = verdicts.find(({ verdict }) => verdict === 'revoked');
  if (revoked !== undefined) {
    const message = `key ${revoked.fingerprint} of host ${context['host']} is revoked at ${revoked.places.join(', ')}`;
    throw new AppError('SSH_HOST_KEY_REVOKED', message, { context });
  }
  const conflicts = verdicts.filter(({ verdict }) => verdict === 'different');
  if (conflicts.length === 0) return [];
  const ours = (key: OfferedKey): boolean => key.places.every((at) => isIn(file, at));
  const foreign = conflicts.filter((key) => !ours(key)).flatMap((key) => key.places);
  const lines = [...new Set(foreign.filter((at) => !isIn(file, at)))];
  if (lines.length > 0) throw conflict(`remove ${lines.join(' and ')} first: that file is yours`);
  if (!replace) throw conflict('--replace puts the new key in its place');
  const offered = new Set(judged.keys.map((key) => key.fingerprint));
  return pins.pinned.filter((pin) => pin.file === file && !offered.has(fingerprint(pin.blob)));

  function conflict(advice: string): AppError {
    const places = [...new Set(conflicts.flatMap((key) => key.places))].join(', ');
    const message = `host ${context['host']} has another key pinned at ${places}; ${advice}`;
    return new AppError('HOST_KEY_CONFLICT', message, { context });
  }
}

function isIn(file: string, place: string): boolean {
  return place.slice(0, place.lastIndexOf(':')) === file;
}

function notOffered(
  keys: readonly OfferedKey[],
  wanted: readonly string[],
  context: ErrorContext,
): AppError {
  const offered = keys.map((key) => `${key.type} ${key.fingerprint}`).join(', ') || 'no key';
  const message = `host ${context['host']} does not offer ${wanted.join(', ')}; it offers ${offered}; nothing was trusted`;
  return new AppError('HOST_KEY_NOT_OFFERED', message, { context });
}
