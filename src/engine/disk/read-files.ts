/** Local inputs as the thread of the disk reads them: for their hashes, and as the blocks of an archive. */
import { createHash, hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { seenOf } from './list-files.ts';
import { readable, unreadable } from './readable.ts';
import { type Member, packedBytes, refuseChanged, writeMember } from './ustar.ts';

/** Up to this a file is read in one piece. */
const WHOLE_BYTES = 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export interface HashedFile {
  sha256: string;
  /** What the file system told of the file that was read, afterwards. */
  identity: string;
}

/** In order. @throws STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE */
export async function hashFiles(
  files: readonly { path: string; bytes: number }[],
): Promise<HashedFile[]> {
  const hashed: HashedFile[] = [];
  for (const { path, bytes } of files)
    hashed.push(bytes <= WHOLE_BYTES ? hashWhole(path, bytes) : await hashStream(path));
  return hashed;
}

function hashWhole(path: string, bytes: number): HashedFile {
  return readable(path, () => {
    const file = openSync(path, 'r');
    try {
      const sha256 = hash('sha256', readAll(file, bytes));
      return { sha256, identity: seenOf(fstatSync(file, { bigint: true })).identity };
    } finally {
      closeSync(file);
    }
  });
}

async function hashStream(path: string): Promise<HashedFile> {
  const sum = createHash('sha256');
  try {
    await using file = await open(path, 'r');
    // one for all: so much garbage would cost more than the hashing
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
      if (bytesRead === 0) break;
      sum.update(piece.subarray(0, bytesRead));
    }
    const { identity } = seenOf(await file.stat({ bigint: true }));
    return { sha256: sum.digest('hex'), identity };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * The files as they stand in an archive, each hashed once more.
 * @throws STAGE_INPUT_CHANGED when a file is no longer what was hashed, STAGE_INPUT_MISSING STAGE_INPUT_UNREADABLE
 */
export function readBlocks(members: readonly (Member & { path: string })[]): Uint8Array {
  const blocks = new Uint8Array(members.reduce((sum, { bytes }) => sum + packedBytes(bytes), 0));
  let at = 0;
  for (const member of members) {
    const bytes = readable(member.path, () => {
      const file = openSync(member.path, 'r');
      try {
        return readAll(file, member.bytes);
      } finally {
        closeSync(file);
      }
    });
    refuseChanged(member, bytes);
    writeMember(blocks.subarray(at), member, bytes);
    at += packedBytes(member.bytes);
  }
  return blocks;
}

/** Of a file that has grown no more than one byte beyond `bytes`. */
function readAll(file: number, bytes: number): Uint8Array {
  const buffer = Buffer.allocUnsafe(bytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}
