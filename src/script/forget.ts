/**
 * Leaving a host: what of a remote root is ours, and its removal. Only names that we make ourselves go,
 * one by one: attempts with our record, marks, images with our record, objects named by their hash, at
 * last the marker and the root. What is not known stays and is named, and then the root stays, too.
 */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { OWN_ATTEMPTS } from './clean.ts';
import { templateVariables, templateWord } from './expand.ts';
import { ROOT_MARKER, safeName } from './layout.ts';
import { FIND_MARKED, STAT_OF } from './process-text.ts';
import { quote } from './quote.ts';
import { parseValue, replyInvalid, splitReply } from './reply.ts';

export interface ForgetPlan {
  /** As configured, or absolute. */
  rootTemplate: string;
  daemonId: string;
  nonce: string;
  /** False: only look. */
  remove: boolean;
}

const count = z.coerce.number().int().nonnegative();

/** What was found in a root, and after a removal: what is still there. */
export interface RootTrace {
  /** Absolute. */
  root: string;
  attempts: number;
  images: number;
  objects: number;
  bytes: number;
  /** Other daemons of the account that have something here; what is shared with them stays. */
  others: string[];
  /** What is not ours, by its name in the root; at most FOREIGN_MAX of them. */
  foreign: string[];
  /** Attempts that were left, since something of them lives or could not be removed. */
  kept: string[];
  /** Nothing of the root is left. */
  gone: boolean;
}

const FOREIGN_MAX = 50;

const SAY = `say() {
  case $2 in *[[:cntrl:]]*) set -- "$1" 'a name with control characters' ;; esac
  printf '%s\\n' "@ $1 $2"
}
refuse() {
  say refused "$1"
  exit 0
}
kib() {
  size=$(du -sk "$1" 2>/dev/null)
  size=\${size%%[!0-9]*}
  bytes=$((bytes + \${size:-0}))
}
there() { [ -e "$1" ] || [ -L "$1" ]; }
# never through a link
real_dir() { [ ! -L "$1" ] && [ -d "$1" ]; }`;

const ENTER = `while case $root in ?*/) ;; *) false ;; esac; do root=\${root%/}; done
if ! [ -e "$root" ] && ! [ -L "$root" ]; then echo '@ absent'; exit 0; fi
if [ -L "$root" ] || ! [ -d "$root" ] || ! [ -O "$root" ]; then refuse "$root is not a directory of this account"; fi
cd "$root" 2>/dev/null || refuse "$root cannot be entered"
mark=''
[ ! -L $marker ] && [ -r $marker ] && read -r mark <$marker
case $mark in '{"format":'*'"towline":"root"'*) ;; *) refuse "$root has no marker of Towline: it is left as it is" ;; esac
say root "$PWD"
attempts=0 images=0 objects=0 bytes=0 shared=''`;

const TASKS = `# Consuming the ticket first: what was never started never starts.
attempt() {
  if [ -z "$remove" ]; then attempts=$((attempts + 1)); return; fi
  [ ! -e "$1/ticket" ] || mv "$1/ticket" "$1/cancelled.$n" 2>/dev/null
  # shellcheck disable=SC2034 # read by find_marked
  sid=''
  find_marked "TOWLINE_(ATTEMPT|SUPERVISOR)=$1"
  [ -z "$pids" ] || { say kept "$1"; return; }
  remove_scratch "$1"
  if remove "$1"; then attempts=$((attempts + 1)); else say kept "$1"; fi
}
own_tasks() {
  real_dir "$1" || return 0
  kib "$1"
  cd "$1" || return 0
  for f in * .[!.]*; do
    there "$f" || continue
    case $f in
      .ended)
        [ -z "$remove" ] && continue
        # marks are empty
        find .ended -type f -size 0 -exec rm -f {} + 2>/dev/null
        rmdir .ended 2>/dev/null || say foreign "tasks/$1/$f"
        ;;
      # built, never published
      .[0-9a-z]*.[0-9]*.[0-9a-f]* | .probe.[0-9a-f]*)
        if [ -L "$f" ] || ! [ -O "$f" ]; then say foreign "tasks/$1/$f"; continue; fi
        [ -z "$remove" ] || rm -rf "./$f"
        ;;
      *) if ours "$f"; then attempt "$f"; else say foreign "tasks/$1/$f"; fi ;;
    esac
  done
  cd "$root" || exit 0
  [ -z "$remove" ] || rmdir "tasks/$1" 2>/dev/null
}
for d in images store store/.part kept tasks; do
  if there "$d" && ! real_dir "$d"; then refuse "$root/$d is no directory: look at it, then remove it or put it back"; fi
done
for d in tasks/* tasks/.[!.]*; do
  there "$d" || continue
  case $d in
    "tasks/$daemon") ;;
    tasks/????????-????-????-????-????????????) shared=1; say other "\${d#tasks/}" ;;
    *) say foreign "$d" ;;
  esac
done
for d in kept/* kept/.[!.]*; do
  there "$d" || continue
  case $d in
    "kept/$daemon") if real_dir "$d"; then [ -z "$remove" ] || rm -rf "$d"; else say foreign "$d"; fi ;;
    kept/????????-????-????-????-????????????) ;;
    *) say foreign "$d" ;;
  esac
done
if real_dir tasks/"$daemon"; then cd tasks && own_tasks "$daemon"; cd "$root" || exit 0; fi`;

const SHARED = `image() {
  key=\${1%.*}
  record=''
  [ ! -L "$key.json" ] && [ -r "$key.json" ] && read -r record <"$key.json"
  case $record in '{"format":'*'"reference":'*) ;; *) return 1 ;; esac
}
own_images() {
  if [ -n "$remove" ]; then
    sid=''
    find_marked 'TOWLINE_PULL=[^/]*'
    physical=$(pwd -P)
    for pid in $pids; do
      # a pull into another root of the account is no matter of ours
      case $(readlink "/proc/$pid/cwd") in
        "$physical"/*) say kept 'images: a pull is under way'; return ;;
      esac
    done
  fi
  for f in images/* images/.[!.]*; do
    there "$f" || continue
    case $f in
      images/*.sif)
        if [ -L "$f" ] || ! image "$f"; then say foreign "$f"; continue; fi
        images=$((images + 1))
        [ -z "$remove" ] || rm -f "$f" "$key.json"
        ;;
      images/*.json)
        if [ -e "\${f%.json}.sif" ] && [ -z "$remove" ]; then continue; fi
        if [ -L "$f" ] || ! image "$f"; then say foreign "$f"; continue; fi
        [ -e "$key.sif" ] || [ -z "$remove" ] || rm -f "$f"
        ;;
      images/.pull-* | images/.old-* | images/.part-*)
        if [ -L "$f" ] || ! [ -d "$f" ]; then say foreign "$f"; continue; fi
        [ -z "$remove" ] || rm -rf "$f"
        ;;
      images/.now.* | images/.asked.* | images/.used.* | images/.use.*)
        if [ -L "$f" ] || ! [ -f "$f" ]; then say foreign "$f"; continue; fi
        [ -z "$remove" ] || rm -f "$f"
        ;;
      *) say foreign "$f" ;;
    esac
  done
}
object() {
  sum=\${1%-*}
  [ \${#sum} = 64 ] || return 1
  case $sum in *[!0-9a-f]*) return 1 ;; esac
  case \${1##*-} in [0-7][0-7][0-7][0-7]) ;; *) return 1 ;; esac
}
# an archive of objects, or the directory that it was being unpacked in
pack() {
  case $1 in store/.part/pack-*.*) ;; *) return 1 ;; esac
  [ ! -L "$1" ] && [ -O "$1" ] || return 1
  sum=\${1#store/.part/pack-}
  object "\${sum%%.*}-0000"
}
own_objects() {
  for f in store/* store/.[!.]* store/.part/* store/.part/.[!.]*; do
    there "$f" || continue
    if pack "$f"; then
      objects=$((objects + 1))
      [ -z "$remove" ] || rm -rf "./$f"
      continue
    fi
    name=\${f##*/}
    case $f in
      store/.part) continue ;;
      store/.part/*) name=\${name%.*} ;;
    esac
    if [ -L "$f" ] || ! [ -f "$f" ] || ! object "$name"; then say foreign "$f"; continue; fi
    objects=$((objects + 1))
    [ -z "$remove" ] || rm -f "$f"
  done
}
if [ -z "$shared" ]; then
  kib images
  kib store
  own_images
  own_objects
fi
for f in * .[!.]*; do
  there "$f" || continue
  case $f in images | store | kept | tasks | "$marker") ;; ".$marker".* | .probe.*) [ -z "$remove" ] || [ -n "$shared" ] || rm -rf "./$f" ;; *) say foreign "$f" ;; esac
done
if [ -n "$remove" ] && [ -z "$shared" ]; then
  rmdir tasks images kept store/.part store 2>/dev/null
  left=''
  for f in * .[!.]*; do
    there "$f" && [ "$f" != $marker ] && left=1
  done
  # the marker goes last: a root that stays is still known as ours
  if [ -z "$left" ]; then
    rm -f $marker
    cd / && rmdir "$root" && echo '@ gone'
  fi
fi
echo "@ found $attempts $images $objects $bytes"
echo '@ done'`;

/** Gives the text that looks at a root, or removes what is ours in it. It may be run again after it was cut off. */
export function forgetText(plan: ForgetPlan): string {
  return [
    SAY,
    ...templateVariables(plan.rootTemplate).map(
      (name) => `[ -n "$${name}" ] || refuse "\\$${name} is not set on the host"`,
    ),
    `root=${templateWord(plan.rootTemplate)} marker=${ROOT_MARKER} daemon=${quote(safeName(plan.daemonId))}`,
    `n=${quote(safeName(plan.nonce))} remove=${plan.remove ? '1' : "''"}`,
    STAT_OF,
    FIND_MARKED,
    OWN_ATTEMPTS,
    ENTER,
    TASKS,
    SHARED,
  ].join('\n');
}

const rootSchema = z.string().startsWith('/');

/**
 * Reads what was found; undefined when there is no such root.
 * @throws HOST_ROOT_INVALID when the directory is not ours, HOST_REPLY_INVALID
 */
export function parseForget(output: string, query: { host: string }): RootTrace | undefined {
  const { host } = query;
  const purpose = `looking for what is ours on ${host}`;
  const { lines, noise } = splitReply(output);
  const all = (verb: string) => lines.filter((line) => line.verb === verb).map(({ rest }) => rest);
  const [refused] = all('refused');
  if (refused !== undefined) {
    throw new AppError('HOST_ROOT_INVALID', `${purpose}: ${refused}`, { context: { host } });
  }
  if (lines.at(-1)?.verb === 'absent') return undefined;
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const [attempts, images, objects, kib] = (all('found')[0] ?? '').split(' ');
  const number = (text: string | undefined) => parseValue(count, text, purpose);
  return {
    root: parseValue(rootSchema, all('root')[0], purpose),
    attempts: number(attempts),
    images: number(images),
    objects: number(objects),
    bytes: number(kib) * 1024,
    others: all('other'),
    foreign: all('foreign').slice(0, FOREIGN_MAX),
    kept: all('kept'),
    gone: all('gone').length > 0,
  };
}
