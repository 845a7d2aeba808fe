/** Which inputs a host has, asked by one question, and the way of those that it has not: small ones by the pack, others one by one. */
import { haveObjectsText, objectName, parseHaveObjects } from '../../script/objects.ts';
import { packsThereLines, parsePacksThere } from '../../script/packs.ts';
import { haveTreeText, noteTreeLines, parseHaveTree, treeHash } from '../../script/trees.ts';
import type { Member } from '../disk/ustar.ts';
import {
  createPacker,
  type PackJob,
  type SendPacked,
  SMALL_BYTES,
} from '../staging/pack-sender.ts';
import { type LocalMember, packStream } from '../staging/pack-stream.ts';
import { type TakenMember, takenStream } from '../staging/taken-pack.ts';
import { together } from '../together.ts';
import { type ObjectToSend, type SendJob, sendObject } from './send-object.ts';
import { placeOfTaken } from './taken-inputs.ts';

/** @throws STAGE_* SSH_* SFTP_* HOST_* */
export async function sendMissing(job: SendJob, objects: ObjectToSend[]): Promise<void> {
  const byName = new Map(objects.map((object) => [objectName(object.sha256, object.mode), object]));
  if (byName.size === 0) return;
  const { seat, signal } = job;
  const there = await lookFor(job, [...byName.keys()].toSorted());
  const missing = [...byName].filter(([name]) => !there.present.has(name));
  const sendPacked = packersOf(job, there.packs);
  await together(missing, signal, ([name, object], own) =>
    seat.share(`object ${name}`, own, async (shared) => {
      if (object.bytes <= SMALL_BYTES && (await sendPacked({ ...object, name }, shared))) return;
      await seat.transfers.add(() => sendObject({ ...job, signal: shared }, object));
    }),
  );
}

interface There {
  present: ReadonlySet<string>;
  /** What an earlier try has left of packs; nothing where none can be unpacked. */
  packs: Map<string, number> | undefined;
}

/** Fewer are asked for by their names at once. */
const TREE_NAMES = 64;

async function lookFor({ deps, seat, facts, signal }: SendJob, names: string[]): Promise<There> {
  const { daemonId } = deps;
  const { root } = facts;
  const ask = async (text: string, what: string): Promise<string> =>
    (await seat.host.run(text, { purpose: `looking for ${what}`, signal })).output;
  const query = { host: seat.name, names, daemonId };
  const more = packsThereLines(daemonId);
  if (names.length >= TREE_NAMES) {
    const tree = treeHash(names);
    const reply = await ask(haveTreeText({ root, tree }), 'a tree of staged inputs');
    if (parseHaveTree(reply, query)) return { present: new Set(names), packs: undefined };
    more.push(...noteTreeLines({ root, daemonId, tree }));
  }
  const reply = await ask(haveObjectsText({ root, daemonId, names, more }), 'staged inputs');
  return { ...parseHaveObjects(reply, query), packs: parsePacksThere(reply, query) };
}

/** Files of one place are packed together. False: it has to be sent alone. */
function packersOf(
  { deps, seat, facts, report }: SendJob,
  there: There['packs'],
): SendPacked<ObjectToSend & { name: string }> {
  if (there === undefined) return async () => false;
  const { daemonId, nonce, seats } = deps;
  const packer = <M extends Member>(read: PackJob<M>['read']): SendPacked<M> => {
    const onSent = (member: M): void => report(member, member.bytes);
    return createPacker({ seat, root: facts.root, daemonId, nonce, there, onSent, read });
  };
  const here = packer<LocalMember>(packStream);
  const elsewhere = new Map<string, SendPacked<TakenMember>>();
  return ({ from, ...member }, signal) => {
    if (from.kind !== 'taken') return here({ ...member, from }, signal);
    const { host, path } = placeOfTaken(from, daemonId);
    const sender =
      elsewhere.get(host) ??
      packer<TakenMember>((members, offset, own) =>
        takenStream({ source: seats.get(host), signal: own }, members, offset),
      );
    elsewhere.set(host, sender);
    return sender({ ...member, remote: path }, signal);
  };
}
