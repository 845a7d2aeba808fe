/** Random task ids: 12 letters and digits (60 bits), none that is easily misread, first one a letter. */
import type { TaskId } from '../domain/task.ts';

const ALPHABET = 'abcdefghjkmnpqrstvwxyz0123456789';
export const ID_CHARS = 12;

/** A new id from 16 or more random bytes. */
export function taskIdFrom(random: Uint8Array): TaskId {
  const letters = Array.from(random.subarray(0, ID_CHARS), (byte, index) =>
    index === 0 ? ALPHABET.charAt(byte % 22) : ALPHABET.charAt(byte % 32),
  );
  return letters.join('') as TaskId;
}
