/**
 * Many small objects on their way to the content store as one file: a tar archive, each member named as the
 * object it becomes. It is unpacked into a directory of its own, where the host hashes every member and puts
 * all of them on disk at once; only then they get their names, those that are there already excepted.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';
import { onlyLine, parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface PackPlace {
  root: string;
  daemonId: string;
  pack: string;
}

/** Gives the name of a pack of these objects: the same ones, in the same order, go on with what is there of it. */
export function packName(objects: readonly string[]): string {
  const hash = createHash('sha256');
  for (const object of objects) hash.update(`${safeName(object)}\n`);
  return `pack-${hash.digest('hex')}`;
}

/** Gives the path to upload a pack to; like a part of an object it has the daemon's name. */
export function packPath({ root, daemonId, pack }: PackPlace): string {
  return `${root}/store/.part/${safeName(pack)}.${safeName(daemonId)}`;
}

/** Gives lines for a text in the store: which packs an earlier upload left, how much of them, and whether one can be unpacked. */
export function packsThereLines(daemonId: string): string[] {
  return [
    `for p in .part/pack-*.${safeName(daemonId)}; do`,
    '  [ -f "$p" ] || continue',
    '  echo "@ pack $(wc -c <"$p") ${p#.part/}"',
    'done',
    "command -v tar >/dev/null 2>&1 || echo '@ tarless'",
  ];
}

const sizeSchema = z.string().regex(/^\d+$/, 'not a number').transform(Number);

/** Reads them from the reply of such a text; undefined where nothing can be unpacked. @throws HOST_REPLY_INVALID */
export function parsePacksThere(
  output: string,
  query: { host: string; daemonId: string },
): Map<string, number> | undefined {
  const packs = new Map<string, number>();
  for (const { verb, rest } of splitReply(output).lines) {
    if (verb === 'tarless') return undefined;
    if (verb !== 'pack') continue;
    const [bytes, name = ''] = rest.split(' ').filter((word) => word !== '');
    const size = parseValue(sizeSchema, bytes, `looking for packs on ${query.host}`);
    packs.set(name.slice(0, -`.${query.daemonId}`.length), size);
  }
  return packs;
}

const UNPACK = `fail() {
  cd "$store" && rm -rf "$pack" "$dir"
  echo "@ failed $1"
  exit 0
}
[ -f "$pack" ] || { echo '@ gone'; exit 0; }
# what an earlier run was cut off in
rm -rf "$pack".d.*
mkdir "$dir" || fail 'no directory can be made'
cd "$dir" || fail 'no directory can be entered'
# with the modes of the objects, whatever the umask is
tar xmopf "$store/$pack" || fail unpacking
# so that the sync need not write it as well
rm -f "$store/$pack"
# shellcheck disable=SC2046 # two numbers
set -- $(find . -type f -exec sha256sum {} + |
  awk '{ sub(/^[*]/, "", $2); if (index($2, "./" $1 "-") == 1) good++; else bad++ } END { print good + 0, bad + 0 }')
if [ "$*" != "$count 0" ]; then
  cd "$store" && rm -rf "$pack" "$dir"
  echo '@ mismatch'
  exit 0
fi
# once for all of them: each for itself takes a hundred times as long
{ sync -f . 2>/dev/null || sync; } || fail sync
# never over one that is there; what does not go that way goes one by one
# shellcheck disable=SC2016 # the shell within expands it
find . -type f -exec sh -c 'mv -n "$@" "$0" 2>/dev/null' "$store" {} +
for o in *; do [ ! -f "$o" ] || [ -f "$store/$o" ] || mv "$o" "$store/$o" || fail publish; done
cd "$store" && rm -rf "$pack" "$dir"
echo '@ published'`;

/** Gives the text that verifies the objects of a pack and gives them their names. `nonce` is of this run alone. */
export function unpackText(
  place: PackPlace & { nonce: string; objects: readonly string[] },
): string {
  return [
    `cd ${quote(`${place.root}/store`)} || { echo '@ failed no-store'; exit 0; }`,
    `store=$PWD pack=${quote(`.part/${safeName(place.pack)}.${safeName(place.daemonId)}`)}`,
    `dir=$pack.d.${safeName(place.nonce)} count=${place.objects.length}`,
    UNPACK,
  ].join('\n');
}

/** Gives the text that removes what came of a pack. */
export function dropPackText(place: PackPlace): string {
  return `rm -rf ${quote(packPath(place))} ${quote(packPath(place))}.d.*`;
}

export type UnpackReply = {
  /** `gone`: the pack is not there any more. */
  kind: 'published' | 'mismatch' | 'gone' | 'nospace';
};

const kindSchema = z.enum(['published', 'mismatch', 'gone']);

/** Reads whether all objects of a pack got their names. @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED */
export function parseUnpack(output: string, query: { host: string }): UnpackReply {
  const purpose = `unpacking inputs on ${query.host}`;
  const { verb, rest, noise } = onlyLine(purpose, output);
  if (verb === 'failed') {
    const error = stepFailed(purpose, rest, noise);
    if (error.code === 'HOST_NO_SPACE') return { kind: 'nospace' };
    throw error;
  }
  const kind = kindSchema.safeParse(verb);
  if (!kind.success) throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  return { kind: kind.data };
}
