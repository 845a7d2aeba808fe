/**
 * The keys that the login nodes of a host show, by the name under which they stand in known_hosts: several
 * nodes share a name where there is a host_key_alias.
 */
import { type AppError, toAppError } from '../../domain/failure.ts';
import type { HostSettings } from '../settings.ts';
import type { LoginNode } from './login-nodes.ts';
import { offeredKeys } from './offered-keys.ts';
import { pinName } from './read-pins.ts';
import type { PublicKey } from './trust-file.ts';

/** A name in known_hosts files, with the nodes that it stands for. */
export interface KeyPlace {
  name: string;
  /** Of the first of its nodes: they differ in nothing that known_hosts files are read by. */
  settings: HostSettings;
  nodes: LoginNode[];
}

/** What each node showed, or why it showed nothing. */
export type NodeKeys = { node: LoginNode; keys: PublicKey[]; failure?: AppError }[];

export function keyPlaces(nodes: readonly LoginNode[]): [KeyPlace, ...KeyPlace[]] {
  const places = new Map<string, KeyPlace>();
  for (const node of nodes) {
    const { settings } = node.door;
    const name = pinName(settings);
    const place = places.get(name) ?? { name, settings, nodes: [] };
    place.nodes.push(node);
    places.set(name, place);
  }
  return [...places.values()] as [KeyPlace, ...KeyPlace[]];
}

/** All at once: each has a budget of its own. @throws SSH_* of the first, when none shows anything */
export async function askNodes(nodes: readonly LoginNode[]): Promise<NodeKeys> {
  const asked = await Promise.all(
    nodes.map(async (node) => {
      try {
        return { node, keys: await offeredKeys(node.door) };
      } catch (error) {
        return { node, keys: [], failure: toAppError(error) };
      }
    }),
  );
  const [first] = asked;
  if (first?.failure !== undefined && asked.every(({ failure }) => failure !== undefined))
    throw first.failure;
  return asked;
}

/** The keys shown under one name, each once, with the nodes that showed it. */
export function offersAt(
  { nodes }: KeyPlace,
  asked: NodeKeys,
): (PublicKey & { nodes: string[] })[] {
  const offers: (PublicKey & { nodes: string[] })[] = [];
  for (const { node, keys } of asked) {
    if (!nodes.includes(node)) continue;
    for (const { type, blob } of keys) {
      const known = offers.find((offer) => offer.blob.equals(blob));
      if (known === undefined) offers.push({ type, blob, nodes: [node.name] });
      else known.nodes.push(node.name);
    }
  }
  return offers;
}
