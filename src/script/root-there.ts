/** Whether a remote root was ever used; nothing is made there to find that out. */
import { templateWord } from './expand.ts';
import { ROOT_MARKER } from './layout.ts';
import { onlyLine, replyInvalid } from './reply.ts';

/** Gives the text that asks. */
export function rootThereText(rootTemplate: string): string {
  return `if [ -r ${templateWord(rootTemplate)}/${ROOT_MARKER} ]; then echo '@ yes'; else echo '@ no'; fi`;
}

/** Reads the answer. @throws HOST_REPLY_INVALID */
export function parseRootThere(output: string, purpose: string): boolean {
  const { verb, noise } = onlyLine(purpose, output);
  if (verb === 'yes' || verb === 'no') return verb === 'yes';
  throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
}
