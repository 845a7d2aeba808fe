/** One file of a task, looked at and hashed on its host before it is copied. */
import { z } from 'zod';
import { quote } from './quote.ts';
import { onlyLine, parseValue, replyInvalid } from './reply.ts';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256');
const sizeSchema = z.string().regex(/^\d+$/).transform(Number);

/**
 * Gives the text that looks at one file below a directory and hashes it: what was opened must be what
 * was named, so that no link on the way, not even one put there just now, leads anywhere else.
 * `relative` is empty when the root itself is the file.
 */
export function inspectFileText(root: string, relative: string): string {
  return [
    `root=${quote(root)} rel=${quote(relative)}`,
    'if [ -z "$rel" ]; then',
    '  path=$(readlink -f "$root")',
    'else',
    // a path that is not there is told as such below
    '  cd -P "$root" 2>/dev/null || { echo "@ missing"; exit 0; }',
    '  path=$(pwd -P)/$rel',
    'fi',
    '[ -e "$path" ] || [ -L "$path" ] || { echo "@ missing"; exit 0; }',
    '{ [ -f "$path" ] && [ ! -L "$path" ]; } || { echo "@ unsafe"; exit 0; }',
    '[ -r "$path" ] || { echo "@ unread"; exit 0; }',
    'exec 3<"$path"',
    '[ "$(readlink /proc/self/fd/3)" = "$path" ] || { echo "@ unsafe"; exit 0; }',
    'size=$(stat -L -c %s /proc/self/fd/3) mode=$(stat -L -c %a /proc/self/fd/3)',
    'sum=$(head -c "$size" <&3 | sha256sum)',
    'printf "@ file %s %s %s %s\n" "$size" "$mode" "${sum%% *}" "$path"',
  ].join('\n');
}

export type InspectReply =
  | { kind: 'file'; size: number; mode: number; sha256: string; path: string }
  | { kind: 'missing' | 'unsafe' | 'unread' };

const modeSchema = z
  .string()
  .regex(/^[0-7]{1,5}$/)
  .transform((text) => Number.parseInt(text, 8));

/** Reads what a file is. @throws HOST_REPLY_INVALID */
export function parseInspectFile(output: string): InspectReply {
  const purpose = 'looking at a file';
  const { verb, rest, noise } = onlyLine(purpose, output);
  if (verb === 'missing' || verb === 'unsafe' || verb === 'unread') return { kind: verb };
  if (verb !== 'file') throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  const [size = '', mode = '', sum = '', ...path] = rest.split(' ');
  return {
    kind: 'file',
    size: parseValue(sizeSchema, size, purpose),
    mode: parseValue(modeSchema, mode, purpose),
    sha256: parseValue(sha256Schema, sum, purpose),
    path: path.join(' '),
  };
}
