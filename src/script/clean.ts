/**
 * Removing attempts. Only directories that carry our own record of exactly this attempt go, never
 * through a link, never while a process of them lives. A mark in `.ended/` stays behind, so that a
 * launch that comes late (a shell that hung for an hour) finds it and starts nothing.
 */
import type { AttemptToken } from '../domain/task.ts';
import { USE_FILE } from './image-use.ts';
import { attemptsDir, ROOT_MARKER, safeName } from './layout.ts';
import { FIND_MARKED, STAT_OF } from './process-text.ts';
import { quote, quoteAll } from './quote.ts';
import { replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface CleanPlan {
  root: string;
  daemonId: string;
  tokens: readonly AttemptToken[];
}

export type CleanResult =
  /** Nothing of it is left, or there was nothing. */
  | { kind: 'cleaned'; bytes?: number | undefined }
  /** A process of it lives: nothing was removed. */
  | { kind: 'busy' }
  | { kind: 'failed'; reason: string };

/** `ours T` is true for an attempt with our own record; `remove` and `remove_scratch` take what it owns. */
export const OWN_ATTEMPTS = `ours() {
  spec=''
  if [ -L "$1" ] || ! [ -d "$1" ] || ! [ -O "$1" ]; then return 1; fi
  if ! [ -e "$1/spec.json" ]; then
    # a grave of a cancel, or what an earlier clean left
    for seen in "$1"/cancelled.* "$1"/killed.* "$1"/.cleaning; do [ -e "$seen" ] && return 0; done
    return 1
  fi
  read -r spec <"$1/spec.json"
  case $spec in '{"format":'*'"token":"'"$1"'"'*) ;; *) return 1 ;; esac
}
# The signs that it uses images go with it.
remove_use() {
  [ -s "$1/${USE_FILE}" ] || return 0
  while IFS= read -r use; do
    case $use in /*/.use.*."$1") rm -f "$use" ;; esac
  done <"$1/${USE_FILE}"
}
# What a task made read-only is still ours to remove. Directories only: a file may be the object that others use.
remove() {
  remove_use "$1"
  true >"$1/.cleaning"
  rm -rf "$1" 2>/dev/null
  if [ -d "$1" ]; then
    find "$1" -type d -exec chmod u+rwx {} \\; 2>/dev/null
    rm -rf "$1"
  fi
  [ ! -e "$1" ]
}
# A directory of the task's own tmp_dir: the name ends in the token, and it is no link.
remove_scratch() {
  [ -s "$1/scratch" ] || return 0
  IFS= read -r scratch <"$1/scratch"
  case $scratch in /*/towline-"$1") ;; *) return 0 ;; esac
  if [ -L "$scratch" ] || ! [ -d "$scratch" ] || ! [ -O "$scratch" ]; then return 0; fi
  chmod -R u+rwX "$scratch" 2>/dev/null
  rm -rf "$scratch"
}`;

/** The directory of a batch goes with the last of its attempts. */
const REMOVE_BATCH = `remove_batch() {
  [ -n "$1" ] && [ -e ".jobs/$1/map" ] || return 0
  while read -r member _; do
    [ ! -e "$member" ] || return 0
  done <".jobs/$1/map"
  rm -rf ".jobs/$1"
}`;

const CLEAN = `clean() {
  # what a loss of power left of a grave
  [ -e "$1/spec.json" ] || rmdir "$1" 2>/dev/null
  if ! [ -e "$1" ] && ! [ -L "$1" ]; then
    if true >".ended/$1"; then echo "@ cleaned $1"; else echo "@ failed $1 no-mark"; fi
    return
  fi
  ours "$1" || { echo "@ failed $1 not-ours"; return; }
  # a loss of power brings back the ticket that a cancel took: it is taken again, nothing starts any more
  mv "$1/ticket" "$1/cancelled.clean" 2>/dev/null
  [ ! -e "$1/ticket" ] || { echo "@ failed $1 not-started"; return; }
  sid=''
  find_marked "TOWLINE_(ATTEMPT|SUPERVISOR)=$1"
  [ -z "$pids" ] || { echo "@ busy $1"; return; }
  # IMPORTANT: the mark before the removal; a launch looks for it after it has published
  true >".ended/$1" || { echo "@ failed $1 no-mark"; return; }
  size=$(du -sk "$1" 2>/dev/null)
  size=\${size%%[!0-9]*}
  batch=''
  [ ! -s "$1/job" ] || read -r batch _ <"$1/job"
  case $batch in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) batch='' ;; esac
  remove_scratch "$1"
  if remove "$1"; then
    remove_batch "$batch"
    echo "@ cleaned $1 \${size:-0}"
  else 
    echo "@ failed $1 not-removed"
  fi
}`;

/** Gives the text that removes attempts. A full disk does not stop it: the mark takes no block. */
export function cleanText(plan: CleanPlan): string {
  return [
    STAT_OF,
    FIND_MARKED,
    OWN_ATTEMPTS,
    REMOVE_BATCH,
    CLEAN,
    `[ -r ${quote(`${plan.root}/${ROOT_MARKER}`)} ] || { echo '@ away'; exit 0; }`,
    `mkdir -p ${quote(`${attemptsDir(plan)}/.ended`)}`,
    `cd ${quote(attemptsDir(plan))} || { echo '@ away'; exit 0; }`,
    `set -- ${quoteAll(plan.tokens.map(safeName))}`,
    'for T; do clean "$T"; done',
    // marks older than any launch that could still come
    'find .ended -type f -mtime +60 -exec rm -f {} + 2>/dev/null',
    "echo '@ done'",
  ].join('\n');
}

/** Reads what became of each attempt. @throws HOST_ROOT_UNAVAILABLE; HOST_REPLY_INVALID when one of them is not answered for. */
export function parseClean(plan: CleanPlan, output: string): Map<AttemptToken, CleanResult> {
  const { lines, noise } = splitReply(output);
  const results = new Map<AttemptToken, CleanResult>();
  for (const { verb, rest } of lines) {
    const [name = '', ...reason] = rest.split(' ');
    const token = plan.tokens.find((candidate) => candidate === name);
    if (verb === 'done') break;
    if (verb === 'away') throw stepFailed('clean', 'no-root', noise);
    if (token === undefined) throw replyInvalid('clean', `unexpected line ${verb} ${rest}`, noise);
    if (verb === 'cleaned') results.set(token, { kind: verb, bytes: bytesOf(reason[0]) });
    else if (verb === 'busy') results.set(token, { kind: verb });
    else results.set(token, { kind: 'failed', reason: `${reason.join(' ')} ${noise}`.trim() });
  }
  const missing = plan.tokens.find((token) => !results.has(token));
  if (missing !== undefined) throw replyInvalid('clean', `nothing about ${missing}`, noise);
  return results;
}

/** As `du -k` says it; nothing for what was not there. */
function bytesOf(kib: string | undefined): number | undefined {
  return kib !== undefined && /^\d{1,12}$/.test(kib) ? Number(kib) * 1024 : undefined;
}
