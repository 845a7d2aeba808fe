/**
 * One file in a tar archive (ustar): its header and its bytes. Owner and time are left out: neither is kept, and the
 * archive is the same every time. The mode is that of the object it becomes, so that nothing has to be changed afterwards.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../../domain/failure.ts';

export interface Member {
  /** Fits a header: at most 100 characters of ASCII. */
  name: string;
  sha256: string;
  mode: number;
  bytes: number;
  label: string;
}

const BLOCK = 512;
/** What ends an archive. */
export const END_BYTES = 2 * BLOCK;

/** How long a file of so many bytes is in the archive, its header included. */
export function packedBytes(bytes: number): number {
  return BLOCK + Math.ceil(bytes / BLOCK) * BLOCK;
}

/** @throws STAGE_INPUT_CHANGED */
export function refuseChanged(member: Member, bytes: Uint8Array): void {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length === member.bytes && sha256 === member.sha256) return;
  const text = `input ${member.label} changed while it was sent`;
  throw new AppError('STAGE_INPUT_CHANGED', text, { context: { path: member.label } });
}

/** Into zeros; the bytes are those of the member. */
export function writeMember(blocks: Uint8Array, member: Member, bytes: Uint8Array): void {
  writeHeader(Buffer.from(blocks.buffer, blocks.byteOffset, BLOCK), member);
  blocks.set(bytes, BLOCK);
}

export function writeHeader(block: Buffer, { name, bytes, mode }: Member): void {
  const put = (at: number, text: string): void => void block.write(text, at, 'latin1');
  const number = (at: number, digits: number, value: number): void =>
    put(at, value.toString(8).padStart(digits, '0'));
  put(0, name);
  number(100, 7, mode);
  number(108, 7, 0);
  number(116, 7, 0);
  number(124, 11, bytes);
  number(136, 11, 0);
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\u000000');
  const sum = block.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  number(148, 6, sum);
  put(154, '\u0000 ');
}
