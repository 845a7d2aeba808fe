/** The images that are in a host's cache. */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { templateWord } from './expand.ts';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';
import { REMOTE_FORMAT } from './records.ts';
import { onlyLine, parseJson, parseValue, replyInvalid, splitReply } from './reply.ts';

export interface CachedImage {
  reference: string;
  path: string;
  sha256?: string | undefined;
  /** What the registry calls it. */
  digest?: string | undefined;
  bytes: number;
  pulledAt?: number | undefined;
}

const recordSchema = z.object({
  format: z.literal(REMOTE_FORMAT),
  reference: z.string(),
  sha256: z.string(),
  bytes: z.int().nonnegative(),
  at: z.int().nonnegative(),
  digest: z.string().optional(),
});
const pathSchema = z.string().startsWith('/');

/** Gives the text that lists the images of a cache directory, without a fork. */
export function imageListText({ directory }: { directory: string }): string {
  return [
    `dir=${templateWord(directory)}`,
    'if cd "$dir" 2>/dev/null; then',
    '  for f in *.sif; do',
    '    [ -f "$f" ] || continue',
    "    record=''",
    '    [ -r "${f%.sif}.json" ] && read -r record <"${f%.sif}.json"',
    `    printf '%s\\n' "@ image $PWD/$f"`,
    '    [ -z "$record" ] || echo "@ record $record"',
    '  done',
    'fi',
    "echo '@ done'",
  ].join('\n');
}

/** Reads the list. An image without a record of ours is not listed: it may be somebody's own. @throws HOST_REPLY_INVALID. */
export function parseImageList(output: string, query: { host: string }): CachedImage[] {
  const purpose = `listing the images of ${query.host}`;
  const { lines, noise } = splitReply(output);
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const images: CachedImage[] = [];
  let path = '';
  for (const { verb, rest } of lines) {
    if (verb === 'image') path = parseValue(pathSchema, rest, purpose);
    if (verb !== 'record') continue;
    const { reference, sha256, bytes, at, digest } = parseJson(recordSchema, rest, purpose);
    images.push({ reference, path, sha256, digest, bytes, pulledAt: at * 1000 });
  }
  return images;
}

/** Gives the text that removes one image of the cache, with those that its tag named before. */
export function imageRemoveText({ directory, key }: { directory: string; key: string }): string {
  const name = quote(safeName(key));
  return [
    `cd ${templateWord(directory)} || { echo '@ failed no-directory'; exit 0; }`,
    `set -- ${name}.sif ${name}.g*.sif`,
    `if ! [ -e "$1" ] && ! [ -e "$2" ]; then echo '@ absent'; exit 0; fi`,
    `rm -f "$@" .now.${name} .asked.${name} .used.${name}.* ${name}.json ${name}.g*.json && echo '@ removed' || echo '@ failed'`,
  ].join('\n');
}

/** Reads the reply of a removal. @throws IMAGE_NOT_FOUND HOST_COMMAND_FAILED HOST_REPLY_INVALID. */
export function parseImageRemove(output: string, query: { host: string; image: string }): void {
  const { host, image } = query;
  const purpose = `removing image ${image} on ${host}`;
  const { verb, noise } = onlyLine(purpose, output);
  if (verb === 'removed') return;
  if (verb === 'absent') {
    throw new AppError('IMAGE_NOT_FOUND', `image ${image} is not in the cache of ${host}`, {
      context: { host, image },
    });
  }
  if (verb !== 'failed') throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  throw new AppError('HOST_COMMAND_FAILED', `${purpose}: ${noise}`, { context: { host, image } });
}
