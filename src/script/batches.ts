/** Lists of names cut so that each part fits what a host lets one program be given as arguments. */

/**
 * Linux gives arguments and environment at least 128 KiB, however small the limit of the stack is; half of
 * it leaves room for the environment of a login that loads modules.
 */
const ARGUMENT_BYTES = 64 * 1024;
/** Of each argument: a pointer and the byte that ends it. */
const EACH_BYTES = 9;

/** Gives the words in order, in parts that one program takes; a word that is too long stands alone. */
export function batches(words: readonly string[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const word of words) {
    const bytes = Buffer.byteLength(word) + EACH_BYTES;
    const part = parts.at(-1);
    if (part === undefined || bytes > room) {
      parts.push([word]);
      room = ARGUMENT_BYTES - bytes;
    } else {
      part.push(word);
      room -= bytes;
    }
  }
  return parts;
}
