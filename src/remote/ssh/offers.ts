/**
 * Which keys are offered to a host, and in which order: the files of the configuration first, then
 * what else the agent holds; no key twice; the one that worked before all others, and those that the
 * host has refused after all others. Pure.
 */
import type { ParsedKey } from 'ssh2';
import type { AgentKey } from './agent.ts';
import { fingerprint } from './host-key.ts';
import type { FileKey } from './private-keys.ts';

/** One key that may be offered. */
export interface Offer {
  id: string;
  /** `type SHA256:… (where it is)`, for messages. */
  label: string;
  /** Our own key, or one that the agent signs for. */
  by: { kind: 'file'; key: ParsedKey } | { kind: 'agent'; key: AgentKey };
}

/** What a host did with our keys so far. Lives as long as the host is configured. */
export interface KeyMemory {
  worked?: string | undefined;
  refused: Set<string>;
  /** Refusals that the host bears in one connection, once it has shown that it bears fewer than usual. */
  bears?: number | undefined;
}

export function newKeyMemory(): KeyMemory {
  return { refused: new Set() };
}

/** The offers in order. */
export function orderOffers(
  files: readonly FileKey[],
  agent: readonly AgentKey[],
  memory: KeyMemory,
): Offer[] {
  const offers = new Map<string, Offer>();
  const add = (offer: Offer): void => {
    if (!offers.has(offer.id)) offers.set(offer.id, offer);
  };
  for (const { file, blob, key } of files) {
    if (blob === undefined) continue;
    const id = blob.toString('base64');
    const held = agent.find((candidate) => candidate.blob.equals(blob));
    // What we can sign ourselves does not depend on an agent that may wait for somebody.
    if (key !== undefined)
      add({ id, label: labelOf(key.type, blob, file), by: { kind: 'file', key } });
    else if (held !== undefined) add(fromAgent(held, `${file}, by the agent`));
  }
  for (const held of agent) add(fromAgent(held, `agent: ${held.comment || 'no comment'}`));
  const rank = ({ id }: Offer): number =>
    id === memory.worked ? 0 : memory.refused.has(id) ? 2 : 1;
  return [...offers.values()].toSorted((one, other) => rank(one) - rank(other));
}

function fromAgent(key: AgentKey, where: string): Offer {
  const id = key.blob.toString('base64');
  return { id, label: labelOf(key.type, key.blob, where), by: { kind: 'agent', key } };
}

function labelOf(type: string, blob: Buffer, where: string): string {
  return `${type} ${fingerprint(blob)} (${where})`;
}
