/**
 * Removes images of the cache that nobody used for long: with our record, of this account, never one that an
 * unfinished attempt of whoever shares the cache runs from. What cannot be seen from here counts as used.
 */
import { z } from 'zod';
import { templateWord } from './expand.ts';
import { READY } from './image-ready.ts';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';
import { REMOTE_FORMAT } from './records.ts';
import { parseJson, parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface PrunePlan {
  /** Of the images; may begin with ~, $HOME or $SCRATCH. */
  directory: string;
  root: string;
  nonce: string;
  olderThanMs: number;
  /** False: only look. */
  remove: boolean;
  /** Files of the cache, without their ending, that tasks of this daemon run from. */
  used: readonly string[];
  /** Images by their key that tasks of this daemon are going to run. */
  wanted: readonly string[];
}

export interface PrunedImage {
  reference: string;
  path: string;
  digest?: string | undefined;
  bytes: number;
  /** When a task was last started from it; else when it came. */
  lastUsedAt: number;
}

export interface PruneReply {
  pruned: PrunedImage[];
  /** How many stay, by why. */
  kept: { inUse: number; recent: number };
}

/** A sign of use of another machine, or that cannot be read: this old it is of no attempt any more. */
const SIGN_DAYS_MAX = 400;
const DAEMON_ID = '????????-????-????-????-????????????';

const FUNCTIONS = `# Attempts of all daemons in this root that have no exit record.
unended=''
for f in "$root"/tasks/*/*/spec.json; do
  if [ -e "\${f%/spec.json}/exit.json" ] || ! [ -r "$f" ]; then continue; fi
  line=''
  read -r line <"$f"
  unended="$unended$line"
done
changed() { stat -c %Y "$1" 2>/dev/null || echo 0; }
# True for a sign whose attempt has ended or is gone.
over() {
  where=''
  [ -r "$1" ] && read -r where <"$1"
  case $where in
    "$machine $host "/*)
      where=\${where#"$machine $host "}
      [ -e "$where/exit.json" ] || { [ ! -d "$where" ] && [ -d "\${where%/*}" ]; }
      ;;
    *) [ $((now - $(changed "$1"))) -gt ${SIGN_DAYS_MAX * 86_400} ] ;;
  esac
}
in_use() {
  for f in ".use.$base".${DAEMON_ID}.*; do
    [ -e "$f" ] || continue
    over "$f" || return 0
    [ -z "$remove" ] || rm -f "$f"
  done
  false
}
last_use() {
  last=\${record#*'"at":'}
  last=\${last%%[!0-9]*}
  for f in ".used.$base".${DAEMON_ID}; do
    [ -e "$f" ] || continue
    at=$(changed "$f")
    [ "$at" -le "\${last:-0}" ] || last=$at
  done
  last=\${last:-0}
}
back() {
  [ -e "$base.json" ] || mv ".gone-$n.json" "$base.json"
  ln ".gone-$n.sif" "$base.sif" 2>/dev/null || [ -e "$base.sif" ] || mv ".gone-$n.sif" "$base.sif"
  rm -f ".gone-$n.json" ".gone-$n.sif"
}
# IMPORTANT: first another name, then the signs again: a launch signs before it looks for the image, so it
# is seen here or finds no image and has it pulled anew.
take() {
  mv "$base.json" ".gone-$n.json" 2>/dev/null || return 1
  mv "$base.sif" ".gone-$n.sif" 2>/dev/null || { back; return 1; }
  if in_use; then back; return 1; fi
  rm -f ".gone-$n.json" ".gone-$n.sif" ".used.$base".${DAEMON_ID}
  [ "$image" != "$base" ] || rm -f ".now.$key"
  set -- "$key".sif "$key".g*.sif
  if ! [ -e "$1" ] && ! [ -e "$2" ]; then rm -f ".asked.$key"; fi
}
prune() {
  record=''
  if [ -L "$base.sif" ] || ! [ -f "$base.sif" ] || ! [ -O "$base.sif" ]; then return; fi
  [ ! -L "$base.json" ] && [ -r "$base.json" ] && read -r record <"$base.json"
  case $record in '{"format":${REMOTE_FORMAT},"reference":'*'"at":'*) ;; *) return ;; esac
  key=\${base%.g????????????????}
  current
  case $unended in *"/$base.sif\\""*) kept=$((kept + 1)); return ;; esac
  case $used in *" $base "*) kept=$((kept + 1)); return ;; esac
  if [ "$image" = "$base" ]; then case $wanted in *" $key "*) kept=$((kept + 1)); return ;; esac; fi
  if in_use; then kept=$((kept + 1)); return; fi
  last_use
  [ $((now - last)) -ge "$older" ] || { recent=$((recent + 1)); return; }
  bytes=$(stat -c %s "$base.sif")
  if [ -n "$remove" ]; then take || { kept=$((kept + 1)); return; }; fi
  printf '%s\\n' "@ pruned $bytes $last $PWD/$base.sif" "@ record $record"
}
for base in *.sif; do
  base=\${base%.sif}
  prune
done
# what a run that was cut has left
[ -z "$remove" ] || find . ! -name . -prune -type f -name '.gone-*' -mmin +1440 -exec rm -f {} + 2>/dev/null
echo "@ kept $kept $recent"`;

/** Gives the text. A directory that is not there has no images. */
export function pruneText(plan: PrunePlan): string {
  const list = (names: readonly string[]): string =>
    quote(` ${[...new Set(names)].map(safeName).join(' ')} `);
  return [
    `dir=${templateWord(plan.directory)} root=${quote(plan.root)} n=${quote(safeName(plan.nonce))}`,
    `older=${Math.ceil(plan.olderThanMs / 1_000)} remove=${plan.remove ? '1' : "''"} kept=0 recent=0`,
    `used=${list(plan.used)} wanted=${list(plan.wanted)}`,
    `cd "$dir" 2>/dev/null || { echo '@ kept 0 0'; exit 0; }`,
    "machine='-' host='' now=$(date +%s)",
    '[ -r /etc/machine-id ] && read -r machine </etc/machine-id',
    'read -r host </proc/sys/kernel/hostname',
    READY,
    FUNCTIONS,
  ].join('\n');
}

const recordSchema = z.object({ reference: z.string(), digest: z.string().optional() });
const schema = z.object({
  bytes: z.coerce.number().int().nonnegative(),
  last: z.coerce.number().int().nonnegative(),
  path: z.string().startsWith('/'),
});
const count = z.coerce.number().int().nonnegative();

/** Reads the reply. @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED */
export function parsePrune(output: string, query: { host: string }): PruneReply {
  const purpose = `pruning the images of ${query.host}`;
  const { lines, noise } = splitReply(output);
  const pruned: PrunedImage[] = [];
  let kept: PruneReply['kept'] | undefined;
  let found: z.infer<typeof schema> | undefined;
  for (const { verb, rest } of lines) {
    if (verb === 'failed') throw stepFailed(purpose, rest, noise);
    const [first, second, ...others] = rest.split(' ');
    if (verb === 'pruned') {
      const path = others.join(' ');
      found = parseValue(schema, { bytes: first, last: second, path }, purpose);
    } else if (verb === 'record' && found !== undefined) {
      const { last, ...image } = found;
      pruned.push({ ...parseJson(recordSchema, rest, purpose), ...image, lastUsedAt: last * 1000 });
    } else if (verb === 'kept') {
      const inUse = parseValue(count, first, purpose);
      kept = { inUse, recent: parseValue(count, second, purpose) };
    }
  }
  if (kept === undefined) throw replyInvalid(purpose, 'the reply is cut', noise);
  return { pruned, kept };
}
