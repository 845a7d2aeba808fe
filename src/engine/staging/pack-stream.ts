/**
 * The bytes of a pack: a tar archive of small files, each read whole, hashed once more and put behind its
 * header. It is the same whenever it is made of the same objects, so that a cut upload of it can go on.
 */
import { askDisk } from '../disk/disk.ts';
import * as ustar from '../disk/ustar.ts';
import type { LocalBytes } from './local-inputs.ts';

export interface LocalMember extends ustar.Member {
  from: LocalBytes;
}

/** Files that are read together, and how many such groups ahead of the one that is sent. */
const GROUP_BYTES = 1024 * 1024;
const GROUPS_AHEAD = 2;

/**
 * The archive from `offset` on; files that end before it are not read.
 * @throws STAGE_INPUT_CHANGED STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE
 */
export async function* packStream(
  members: readonly LocalMember[],
  offset: number,
): AsyncGenerator<Uint8Array> {
  yield* archiveFrom(members, offset, (wanted) => inOrder(groupsOf(wanted)));
}

/** The archive from `offset` on, of blocks that `read` gives of the members that are still wanted. */
export async function* archiveFrom<M extends ustar.Member>(
  members: readonly M[],
  offset: number,
  read: (wanted: readonly M[]) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let end = 0;
  const wanted: M[] = [];
  let skip = 0;
  for (const member of members) {
    const from = end;
    end += ustar.packedBytes(member.bytes);
    if (end <= offset) continue;
    if (wanted.length === 0) skip = Math.max(0, offset - from);
    wanted.push(member);
  }
  if (wanted.length > 0)
    for await (const blocks of read(wanted)) {
      yield blocks.subarray(skip);
      skip = 0;
    }
  yield new Uint8Array(ustar.END_BYTES).subarray(Math.max(0, offset - end));
}

/** What is read by one question; inline content stands alone. */
function groupsOf(members: readonly LocalMember[]): LocalMember[][] {
  const groups: LocalMember[][] = [];
  let room = 0;
  for (const member of members) {
    const bytes = ustar.packedBytes(member.bytes);
    const isAlone = member.from.kind === 'bytes';
    if (isAlone || bytes > room) {
      groups.push([]);
      room = isAlone ? 0 : GROUP_BYTES;
    }
    groups.at(-1)?.push(member);
    room -= bytes;
  }
  return groups;
}

async function* inOrder(groups: readonly LocalMember[][]): AsyncGenerator<Uint8Array> {
  const ahead: Promise<Uint8Array>[] = [];
  for (const group of groups) {
    const blocks = blocksOf(group);
    // its failure is met when its turn comes, or never
    blocks.catch(() => {});
    ahead.push(blocks);
    if (ahead.length > GROUPS_AHEAD) yield await (ahead.shift() as Promise<Uint8Array>);
  }
  for (const blocks of ahead) yield await blocks;
}

async function blocksOf(group: readonly LocalMember[]): Promise<Uint8Array> {
  const [first] = group;
  if (first?.from.kind === 'bytes') return blocksOfBytes(first, first.from.bytes);
  const files = group.flatMap(({ from, ...member }) =>
    from.kind === 'path' ? [{ ...plain(member), path: from.path }] : [],
  );
  return askDisk('readBlocks', [files]);
}

/** No more of it than what goes to the thread. */
function plain({ name, sha256, mode, bytes, label }: ustar.Member): ustar.Member {
  return { name, sha256, mode, bytes, label };
}

/** @throws STAGE_INPUT_CHANGED */
export function blocksOfBytes(member: ustar.Member, bytes: Uint8Array): Uint8Array {
  ustar.refuseChanged(member, bytes);
  const blocks = new Uint8Array(ustar.packedBytes(bytes.length));
  ustar.writeMember(blocks, member, bytes);
  return blocks;
}
