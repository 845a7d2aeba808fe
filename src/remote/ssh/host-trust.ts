/** Shows the keys of a host and pins those that somebody has compared. Read next: node-keys.ts, trust-file.ts. */
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import type { Clock } from '../clock.ts';
import type { HostKeys, HostKeysReport, OfferedKey, PinRequest } from '../host-keys.ts';
import type { Logger } from '../logger.ts';
import { hostContext } from './connect.ts';
import { fingerprint } from './host-key.ts';
import { judgeOffers } from './host-key-verdict.ts';
import type { HostPins } from './known-hosts.ts';
import type { LoginNodes } from './login-nodes.ts';
import { askNodes, type KeyPlace, keyPlaces, type NodeKeys, offersAt } from './node-keys.ts';
import { readPins } from './read-pins.ts';
import { changePins, type PublicKey } from './trust-file.ts';

/** So long what was shown counts as what is offered: time to compare it by phone. */
const SHOWN_FOR_MS = 900_000;

interface TrustDeps {
  nodes: LoginNodes;
  file: string;
  clock: Clock;
  logger: Logger;
}

export function createHostTrust(deps: TrustDeps): HostKeys {
  const { nodes, clock } = deps;
  const places = keyPlaces(nodes.all);
  const trust: Trust = { ...deps, places };
  let shown: { at: number; keys: NodeKeys } | undefined;

  async function ask(): Promise<NodeKeys> {
    // Before the host is asked: what cannot be judged need not be fetched.
    for (const { settings } of places) await readPins(settings, hostContext(settings));
    shown = { keys: await askNodes(nodes.all), at: clock.now() };
    return shown.keys;
  }

  return {
    offered: async () => report(trust, await ask()),
    async pin(request) {
      const { fingerprints } = request;
      const has = (asked: NodeKeys): boolean =>
        fingerprints.every((wanted) => asked.some((node) => shows(node, wanted)));
      const known = shown !== undefined && clock.now() - shown.at < SHOWN_FOR_MS ? shown.keys : [];
      const asked = has(known) ? known : await ask();
      if (!has(asked)) {
        const [{ settings }] = places;
        throw notOffered((await report(trust, asked)).keys, fingerprints, hostContext(settings));
      }
      // All are checked before the first is written: all or none.
      const changes = [];
      for (const place of places) changes.push(await changeAt(trust, { place, asked, request }));
      for (const change of changes) await write(trust, change);
      const mended = asked.filter((node) => fingerprints.some((wanted) => shows(node, wanted)));
      nodes.pardon(mended.map(({ node }) => node));
      return await report(trust, asked);
    },
  };
}

interface Trust extends TrustDeps {
  places: ReturnType<typeof keyPlaces>;
}

function shows({ keys }: NodeKeys[number], wanted: string): boolean {
  return keys.some(({ blob }) => fingerprint(blob) === wanted);
}

async function report({ places, file, nodes }: Trust, asked: NodeKeys): Promise<HostKeysReport> {
  const keys = [];
  for (const place of places) {
    const offers = offersAt(place, asked);
    const judged = judgeOffers(await pinsAt(place), offers);
    const many = nodes.all.length > 1;
    keys.push(...judged.map((key, n) => (many ? { ...key, nodes: offers[n]?.nodes } : key)));
  }
  const silent = asked.flatMap(({ node, failure: { code, message } = {} }) =>
    code === undefined ? [] : [{ node: node.name, code, message: message ?? '' }],
  );
  const name = places.map((place) => place.name).join(', ');
  return { name, file, keys, ...(silent.length > 0 && { silent }) };
}

interface Change {
  place: KeyPlace;
  chosen: PublicKey[];
  replaced: PublicKey[];
}

/** What is to be changed at one place; throws where a key cannot be pinned. */
async function changeAt(
  { file }: Trust,
  { place, asked, request }: { place: KeyPlace; asked: NodeKeys; request: PinRequest },
): Promise<Change> {
  const { fingerprints, replace } = request;
  const offers = offersAt(place, asked);
  const chosen = offers.filter(({ blob }) => fingerprints.includes(fingerprint(blob)));
  const pins = await pinsAt(place);
  const context = hostContext(place.settings);
  const judged = judgeOffers(pins, offers);
  return {
    place,
    chosen,
    replaced: checkPinnable(pins, { judged, chosen, replace, file, context }),
  };
}

async function write({ file, clock, logger }: Trust, change: Change): Promise<void> {
  const { place, chosen, replaced } = change;
  if (chosen.length === 0) return;
  await changePins(file, {
    name: place.name,
    add: chosen,
    keep: ({ blob }) => !replaced.some((key) => key.blob.equals(blob)),
    comment: `trusted ${new Date(clock.now()).toISOString().slice(0, 10)}`,
  });
  const trusted = chosen.map(({ type, blob }) => `${type} ${fingerprint(blob)}`);
  const { name: host } = place.settings;
  const facts = { host, name: place.name, trusted, replaced: replaced.length, file };
  logger.info(facts, 'host key trusted');
}

function pinsAt({ settings }: KeyPlace): Promise<HostPins> {
  return readPins(settings, hostContext(settings));
}

interface Checked extends Pick<PinRequest, 'replace'> {
  judged: readonly OfferedKey[];
  chosen: readonly PublicKey[];
  file: string;
  context: ErrorContext;
}

/** The keys of our own file that have to go; throws when one stands in the way that is not ours to remove. */
function checkPinnable(pins: HostPins, checked: Checked): PublicKey[] {
  const { judged, chosen, replace, file, context } = checked;
  const verdicts = judged.filter((key) =>
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
  const offered = new Set(judged.map((key) => key.fingerprint));
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
