/** Lists cut so that each part fits what a host gives a program: room for its arguments, depth of its stack. */

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

/** A shell goes as deep as a list is long: dash needs some hundred bytes of stack for each command. */
const COMMANDS_OF_A_GROUP = 100;

/** Gives the commands in order, in groups, so that thousands of them need no more stack than a few hundred. */
export function grouped(commands: readonly string[]): string[] {
  if (commands.length <= COMMANDS_OF_A_GROUP) return [...commands];
  const groups: string[] = [];
  for (let at = 0; at < commands.length; at += COMMANDS_OF_A_GROUP) {
    groups.push(`{\n${commands.slice(at, at + COMMANDS_OF_A_GROUP).join('\n')}\n}`);
  }
  return groups;
}
