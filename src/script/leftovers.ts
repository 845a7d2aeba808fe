/**
 * What no task needs any more below a remote root: staged inputs without a link, parts of uploads that
 * were given up, attempts that were built and never published, old marks, remains of pulls. Looked at
 * or removed; only names that we make ourselves, of this account, old enough, and never through a link.
 */
import { z } from 'zod';
import { templateWord } from './expand.ts';
import { ROOT_MARKER, safeName } from './layout.ts';
import { DISCARD } from './pull.ts';
import { quote } from './quote.ts';
import { parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface LeftoversPlan {
  root: string;
  daemonId: string;
  /** Of the images; may begin with ~, $HOME or $SCRATCH. */
  imageDirectory: string;
  nonce: string;
  /** What was used since then stays. */
  olderThanMs: number;
  /** False: only look. */
  remove: boolean;
}

export const LEFTOVER_KINDS = ['objects', 'parts', 'unpublished', 'marks', 'pulls'] as const;
export type LeftoverKind = (typeof LEFTOVER_KINDS)[number];

export interface Leftover {
  kind: LeftoverKind;
  count: number;
  bytes: number;
}

/** An act on the host that hangs for an hour must still find what it has made. */
const YOUNGEST_MINUTES = 60;
/** What has a name of a moment only may be younger than what was staged for a task. */
const MOMENT_MINUTES = 1440;
/** One run removes at most so many objects; the next goes on. */
const OBJECTS_A_RUN = 2000;

const FUNCTIONS = `kib() {
  size=$(du -sk "$1" 2>/dev/null)
  size=\${size%%[!0-9]*}
  bytes=$((bytes + \${size:-0} * 1024))
}
wipe() {
  kib "$1"
  count=$((count + 1))
  [ -n "$remove" ] || return 0
  # directories only: a file may be the object that others use
  find "$1" -type d -exec chmod u+rwx {} \\; 2>/dev/null
  rm -rf "$1"
}
said() { echo "@ found $1 $count $bytes"; }`;

/**
 * IMPORTANT: first another name, then the count of links again: a launch that took a link before that is
 * seen, one that comes later does not find the object and has it staged anew.
 */
const OBJECTS = `object() {
  # shellcheck disable=SC2046 # two numbers
  set -- "$1" $(stat -c '%h %s' "$1" 2>/dev/null)
  [ "$2" = 1 ] || return 0
  if [ -n "$remove" ]; then
    mv "$1" ".gone-$n-$1" 2>/dev/null || return 0
    if [ "$(stat -c %h ".gone-$n-$1")" != 1 ]; then
      ln ".gone-$n-$1" "$1" 2>/dev/null
      rm -f ".gone-$n-$1"
      return 0
    fi
    rm -f ".gone-$n-$1"
  fi
  count=$((count + 1)) bytes=$((bytes + $3))
}
objects() {
  count=0 bytes=0 seen=0
  while IFS= read -r f; do
    f=\${f#./}
    case $f in
      .gone-*) [ -z "$remove" ] || rm -f "./$f" ;;
      *[!0-9a-f-]*) ;;
      *)
        [ "\${#f}" -eq 69 ] || continue
        seen=$((seen + 1))
        [ "$seen" -le ${OBJECTS_A_RUN} ] || break
        object "$f"
        ;;
    esac
  done
  said objects
  [ "$seen" -le ${OBJECTS_A_RUN} ] || echo '@ more'
}`;

const REST = `each() {
  count=0 bytes=0
  while IFS= read -r f; do
    f=\${f#./}
    case $1/$f in
      parts/*[!0-9a-f]*-[0-7][0-7][0-7][0-7]."$daemon") ;;
      parts/*-[0-7][0-7][0-7][0-7]."$daemon") wipe "./$f" ;;
      parts/pack-[0-9a-f]*."$daemon" | parts/pack-[0-9a-f]*."$daemon".d.*) wipe "./$f" ;;
      unpublished/.ended) ;;
      unpublished/.[0-9a-z]*.[0-9]*.[0-9a-f]* | unpublished/.probe.[0-9a-f]*) wipe "./$f" ;;
      root/.probe.[0-9]* | root/."$marker".[0-9]*) wipe "./$f" ;;
      marks/*) count=$((count + 1)); [ -z "$remove" ] || rm -f "./$f" ;;
    esac
  done
  case $1 in root) said unpublished ;; *) said "$1" ;; esac
}
# Of jobs: each goes with the last of its attempts, but for one that another took the place of.
batches() {
  count=0 bytes=0
  while IFS= read -r f; do
    f=\${f#./} needed=''
    if [ -r "$f/map" ]; then
      while read -r member _; do
        [ ! -e "../$member" ] || needed=1
      done <"$f/map"
    fi
    [ -n "$needed" ] || wipe "./$f"
  done
  said unpublished
}
pulls() {
  count=0 bytes=0
  for f in .old-* .pull-* .part-*; do
    if [ -L "$f" ] || ! [ -d "$f" ] || ! [ -O "$f" ]; then continue; fi
    case $f in
      .old-*) [ -n "$(find "$f" -prune -mmin +${MOMENT_MINUTES} 2>/dev/null)" ] || continue ;;
      # sent by another host, and given up: the file is written to as long as somebody is at it
      .part-*)
        [ -n "$(find "$f" -prune -mmin +${MOMENT_MINUTES} 2>/dev/null)" ] || continue
        [ -z "$(find "$f" ! -name . -mmin -${MOMENT_MINUTES} 2>/dev/null)" ] || continue
        ;;
      # it failed, and nobody asked for the image again
      *)
        [ -s "$f/result" ] || continue
        [ -n "$(find "$f/result" -mmin "+$age" 2>/dev/null)" ] || continue
        if [ -n "$remove" ]; then
          mv "$f" ".old-\${f#.pull-}-$n" 2>/dev/null || continue
          # another job had its name by then
          if ! [ -s ".old-\${f#.pull-}-$n/result" ]; then mv ".old-\${f#.pull-}-$n" "$f"; continue; fi
          f=.old-\${f#.pull-}-$n
        fi
        ;;
    esac
    kib "$f"
    count=$((count + 1))
    [ -z "$remove" ] || discard "$f"
  done
  said pulls
}`;

const LOOK = `me=$(id -u)
mark=''
[ ! -L "$marker" ] && [ -r "$marker" ] && read -r mark <"$marker"
case $mark in '{"format":'*'"towline":"root"'*) ;; *) echo '@ failed root is not ours'; exit 0 ;; esac
# a look into a directory of ours only, never through a link
inside() {
  if [ -L "$1" ] || ! [ -d "$1" ]; then return 1; fi
  cd "$1" || return 1
}
root=$PWD
if inside store; then
  find . ! -name . -prune -type f -user "$me" -links 1 -cmin "+$age" 2>/dev/null | objects
  if inside .part; then
    find . ! -name . -prune \\( -type f -o -type d \\) -user "$me" -mmin "+$age" 2>/dev/null | each parts
  fi
fi
cd "$root" || exit 0
if inside tasks && inside "$daemon"; then
  find . ! -name . -prune -name '.*' -type d -user "$me" -mmin +${MOMENT_MINUTES} 2>/dev/null | each unpublished
  if (inside .jobs); then
    (cd .jobs && find . ! -name . -prune -type d -user "$me" -mmin +${MOMENT_MINUTES} 2>/dev/null | batches)
  fi
  # marks older than any launch that could still come
  if inside .ended; then
    find . ! -name . -prune -type f -size 0 -user "$me" -mtime +60 2>/dev/null | each marks
  fi
fi
cd "$root" || exit 0
find . ! -name . -prune -name '.*' -user "$me" -mmin +${MOMENT_MINUTES} 2>/dev/null | each root
# shellcheck disable=SC2164 # a subshell that has no such directory says nothing
(cd "$images" 2>/dev/null && pulls)
echo '@ done'`;

/** Gives the text that looks for what no task needs, or removes it. It may be run again after it was cut off. */
export function leftoversText(plan: LeftoversPlan): string {
  const age = Math.max(YOUNGEST_MINUTES, Math.ceil(plan.olderThanMs / 60_000));
  return [
    `cd ${quote(plan.root)} || { echo '@ failed root is away'; exit 0; }`,
    `marker=${ROOT_MARKER} daemon=${quote(safeName(plan.daemonId))} n=${quote(safeName(plan.nonce))}`,
    `images=${templateWord(plan.imageDirectory)} age=${age} remove=${plan.remove ? '1' : "''"}`,
    DISCARD,
    FUNCTIONS,
    OBJECTS,
    REST,
    LOOK,
  ].join('\n');
}

const kindSchema = z.enum(LEFTOVER_KINDS);
const countSchema = z.coerce.number().int().nonnegative();

/**
 * Reads what was found or removed, summed by kind; `more`: there is work for another run.
 * @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED
 */
export function parseLeftovers(
  output: string,
  query: { host: string },
): { found: Leftover[]; more: boolean } {
  const purpose = `looking for what is not needed on ${query.host}`;
  const { lines, noise } = splitReply(output);
  const sums = new Map<LeftoverKind, Leftover>();
  for (const { verb, rest } of lines) {
    if (verb === 'failed') throw stepFailed(purpose, rest, noise);
    if (verb !== 'found') continue;
    const [kindText, countText, bytesText] = rest.split(' ');
    const kind = parseValue(kindSchema, kindText, purpose);
    const sum = sums.get(kind) ?? { kind, count: 0, bytes: 0 };
    sum.count += parseValue(countSchema, countText, purpose);
    sum.bytes += parseValue(countSchema, bytesText, purpose);
    sums.set(kind, sum);
  }
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const found = [...sums.values()].filter(({ count }) => count > 0);
  return { found, more: lines.some(({ verb }) => verb === 'more') };
}
