/**
 * What tasks leave on their host for others: `kept/<daemon>/<attempt>/` holds hard links to objects of the
 * content store, which no gc takes while there is one. A file that a task wrote becomes an object by a link;
 * it is read-only from then on.
 */
import { z } from 'zod';
import type { AttemptToken } from '../domain/task.ts';
import { batches } from './batches.ts';
import { safeName } from './layout.ts';
import { objectName } from './objects.ts';
import { quote, quoteAll } from './quote.ts';
import { parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface HoldPlace {
  root: string;
  daemonId: string;
  token: AttemptToken;
}

/** Gives the directory of an attempt's links. */
export function holdPath({ root, daemonId, token }: HoldPlace): string {
  return `${root}/kept/${safeName(daemonId)}/${safeName(token)}`;
}

/** Gives where a kept file stands. */
export function heldFile(place: HoldPlace, file: { sha256: string; mode: number }): string {
  return `${holdPath(place)}/${objectName(file.sha256, file.mode)}`;
}

const KEEP = `put() {
  [ -f "$2" ] && return 0
  ln "$1" "$2" 2>/dev/null && return 0
  # another owner, another file system, or as many links as there can be
  part=$hold/.part.$n
  cp "$1" "$part" && chmod "$mode" "$part" && { sync "$part" 2>/dev/null || sync; } && mv "$part" "$2"
}
# gc may take an object between its making and the link that holds it
held() {
  tries=0
  until ln "$2" "$hold/$2" 2>/dev/null || [ -f "$hold/$2" ]; do
    [ "$tries" -lt 5 ] || return 1
    tries=$((tries + 1))
    put "$1" "$2" || return 1
  done
}
keep() {
  for f; do
    mode=0444
    [ -x "$f" ] && mode=0555
    if [ -L "$f" ] || ! [ -f "$f" ]; then
      echo "@ unread $i"
    else
      # nobody writes to an object
      chmod "$mode" "$f" 2>/dev/null
      if sum=$(sha256sum <"$f"); then
        sum=\${sum%% *}
        if ! put "$f" "$sum-$mode" || ! held "$f" "$sum-$mode"; then echo '@ failed keep' && exit 0; fi
        echo "@ kept $i $sum $mode"
      else
        echo "@ unread $i"
      fi
    fi
    i=$((i + 1))
  done
}`;

/** Gives the text that keeps files, named by absolute paths. Run again after it worked, it says the same. */
export function keepText(place: HoldPlace, nonce: string, paths: readonly string[]): string {
  return [
    '# shellcheck disable=SC2016 # names are taken as they are',
    `cd ${quote(`${place.root}/store`)} || { echo '@ failed no-store'; exit 0; }`,
    `hold=${quote(holdPath(place))} n=${quote(safeName(nonce))} i=0`,
    'umask 077',
    `mkdir -p "$hold" || { echo '@ failed mkdir'; exit 0; }`,
    KEEP,
    ...batches(paths).map((part) => `keep ${quoteAll(part)}`),
    `sync . "$hold" 2>/dev/null || sync`,
    "echo '@ done'",
  ].join('\n');
}

const sumSchema = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256');
const modeSchema = z.enum(['0444', '0555']).transform((text) => Number.parseInt(text, 8));

export interface Kept {
  sha256: string;
  mode: number;
}

/** Reads what was kept, in the order of the paths; undefined: it cannot be read. @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED */
export function parseKeep(
  output: string,
  query: { host: string; count: number },
): (Kept | undefined)[] {
  const purpose = `keeping outputs on ${query.host}`;
  const { lines, noise } = splitReply(output);
  const kept: (Kept | undefined)[] = [];
  for (const { verb, rest } of lines) {
    if (verb === 'failed') throw stepFailed(purpose, rest, noise);
    if (verb === 'done') break;
    const [index, sum, mode] = rest.split(' ');
    if (Number(index) !== kept.length || (verb !== 'kept' && verb !== 'unread'))
      throw replyInvalid(purpose, 'field index: out of order', noise);
    kept.push(
      verb === 'unread'
        ? undefined
        : {
            sha256: parseValue(sumSchema, sum, purpose),
            mode: parseValue(modeSchema, mode, purpose),
          },
    );
  }
  if (kept.length !== query.count || lines.at(-1)?.verb !== 'done') {
    throw replyInvalid(purpose, `${kept.length} files instead of ${query.count}`, noise);
  }
  return kept;
}

/** Gives the text that names the attempts of a daemon that hold something. */
export function holdsText({ root, daemonId }: Omit<HoldPlace, 'token'>): string {
  return [
    `cd ${quote(`${root}/kept/${safeName(daemonId)}`)} 2>/dev/null || { echo '@ done'; exit 0; }`,
    'for f in *; do [ -d "$f" ] && [ ! -L "$f" ] && echo "@ hold $f"; done',
    "echo '@ done'",
  ].join('\n');
}

const tokenSchema = z
  .string()
  .regex(/^[0-9a-z]+\.\d+$/, 'not an attempt')
  .transform((text) => text as AttemptToken);

/** Reads them. What has another name is not ours and stays. @throws HOST_REPLY_INVALID */
export function parseHolds(output: string, query: { host: string }): AttemptToken[] {
  const purpose = `looking for kept outputs on ${query.host}`;
  const { lines, noise } = splitReply(output);
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  return lines.flatMap(({ verb, rest }) => {
    const token = tokenSchema.safeParse(rest);
    return verb === 'hold' && token.success ? [token.data] : [];
  });
}

/** Gives the text that lets go of what attempts hold; the objects go with the next gc, when no task uses them. */
export function dropHoldsText(
  { root, daemonId }: Omit<HoldPlace, 'token'>,
  tokens: readonly AttemptToken[],
): string {
  return [
    `cd ${quote(`${root}/kept/${safeName(daemonId)}`)} || exit 0`,
    ...batches(tokens.map(safeName)).map((part) => `rm -rf ${quoteAll(part)}`),
  ].join('\n');
}
