/** How a host says that it has an image, and what its record tells of it; pulled or received. */
import { z } from 'zod';
import { templateWord } from './expand.ts';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';
import { onlyLine, parseValue, replyInvalid } from './reply.ts';

export interface ReadyReply {
  kind: 'ready';
  path: string;
  /** Of the SIF, where Towline made it. */
  sha256?: string | undefined;
  /** Of the manifest, where the runtime told it. */
  digest?: string | undefined;
}

/**
 * `current` sets $image to the file, without its ending, that $key stands for in the working directory: a
 * tag that moved is a further file, and .now.$key names the latest. `ready` is true when it is there, and says so.
 */
export const READY = `current() {
  image=''
  [ ! -s ".now.$key" ] || read -r image <".now.$key"
  case $image in */*) image=$key ;; "$key".g*) ;; *) image=$key ;; esac
  [ -r "$image.sif" ] || image=$key
  [ -r "$image.sif" ]
}
ready() {
  current || return 1
  record='' sum='-' digest='-'
  [ -r "$image.json" ] && read -r record <"$image.json"
  case $record in *'"sha256":"'*) sum=\${record#*'"sha256":"'} sum=\${sum%%'"'*} ;; esac
  case $record in *'"digest":"'*) digest=\${record#*'"digest":"'} digest=\${digest%%'"'*} ;; esac
  printf '%s\\n' "@ ready $sum $digest $PWD/$image.sif"
}`;

const schema = z.object({
  sha256: z.string().regex(/^([0-9a-f]{64}|-)$/, 'not a sha256'),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64}|-)$/, 'not a digest'),
  path: z.string().startsWith('/'),
});

/** Reads what follows the word. @throws HOST_REPLY_INVALID */
export function parseReady(rest: string, purpose: string): ReadyReply {
  const [, sha256, digest, path] = /^(\S+) (\S+) (.*)$/s.exec(rest) ?? [];
  const found = parseValue(schema, { sha256, digest, path }, purpose);
  return {
    kind: 'ready',
    path: found.path,
    sha256: found.sha256 === '-' ? undefined : found.sha256,
    digest: found.digest === '-' ? undefined : found.digest,
  };
}

/** Gives the text that says which image a host has, and makes nothing there. */
export function imageThereText({ directory, key }: { directory: string; key: string }): string {
  return [
    `key=${quote(safeName(key))}`,
    `cd ${templateWord(directory)} 2>/dev/null || { echo '@ absent'; exit 0; }`,
    READY,
    "ready || echo '@ absent'",
  ].join('\n');
}

/** Reads it. @throws HOST_REPLY_INVALID */
export function parseImageThere(output: string, purpose: string): ReadyReply | undefined {
  const { verb, rest, noise } = onlyLine(purpose, output);
  if (verb === 'absent') return undefined;
  if (verb !== 'ready') throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  return parseReady(rest, purpose);
}
