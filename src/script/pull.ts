/**
 * Images on a host: pulled by a detached job, one per image, whoever asks. The directory
 * `.pull-<key>` made by mkdir is lock and job at once; it only saves bandwidth. Correct is the end:
 * an image gets its name by a link, whole and checked, or not at all.
 */
import { z } from 'zod';
import { templateWord } from './expand.ts';
import { parseReady, READY, type ReadyReply } from './image-ready.ts';
import { safeName } from './layout.ts';
import { FIND_MARKED, IS_ALIVE, NAP, READ_CLOCK, STAT_OF } from './process-text.ts';
import { PULL_JOB } from './pull-job.ts';
import { type AskAgain, everyWord, QUESTION } from './pull-newer.ts';
import { quote, quoteAll } from './quote.ts';
import { parseValue, replyInvalid, splitReply } from './reply.ts';

export { classifyPull } from './classify-pull.ts';
export { imageListText, imageRemoveText, parseImageList, parseImageRemove } from './image-cache.ts';

export interface PullPlace {
  /** The directory of images; may begin with ~, $HOME or $SCRATCH. */
  directory: string;
  root: string;
  key: string;
  reference: string;
  runtime: string;
  setup?: string | undefined;
  /** The registry speaks plain HTTP. */
  insecure: boolean;
  /** One for each wish: the failure of a job is told once to every nonce that saw it run, then the next starts anew. */
  nonce: string;
  timeoutMs: number;
  /** Low leaves processor and disk to others. */
  priority?: 'low' | 'normal' | undefined;
  /** With less free than this nothing is begun. */
  minFreeBytes?: number | undefined;
  /** A login for the registry, as a Docker config.json: a file of the job's own, removed with the pull's end. */
  auth?: string | undefined;
  /** Whether the registry is asked although the image is there; absent: it is not. */
  newer?: AskAgain | undefined;
}

export type PullReply =
  | ReadyReply
  /** `bytes`: what the job has on disk, a measure of progress; none while it only asks whether the tag moved. */
  | { kind: 'running'; bytes?: number | undefined }
  /** `output`: what the runtime said. */
  | { kind: 'failed'; output: string };

/** `discard DIR` removes the directory of a job, and what it had in /tmp. */
export const DISCARD = `discard() {
  [ -s "$1/tmpdir" ] && read -r tmp <"$1/tmpdir" && case $tmp in
    /tmp/towline-pull.*/*) ;;
    /tmp/towline-pull.*) [ -L "$tmp" ] || { chmod -R u+rwX "$tmp"; rm -rf "$tmp"; } ;;
  esac 2>/dev/null
  # the image that is there may have a further name in here
  rm -f "$1"/cache/cache/*/* 2>/dev/null
  chmod -R u+rwX "$1" 2>/dev/null
  rm -rf "$1"
}`;

const SHARED = `${DISCARD}
machine='-'
read -r boot </proc/sys/kernel/random/boot_id
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
read -r host </proc/sys/kernel/hostname
# Sets $owner and its words; fails when the job has none yet.
read_owner() {
  owner=''
  [ -s "$job/owner" ] && read -r owner <"$job/owner"
  # shellcheck disable=SC2086 # words
  set -- $owner
  [ $# -eq 7 ] && [ "$1" = 1 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for all
  owner_n=$2 owner_pid=$3 owner_start=$4 owner_boot=$5 owner_place="$6 $7"
}
owned_here() {
  [ -n "$owner" ] && [ "$owner_place" = "$machine $host" ] && [ "$owner_boot" = "$boot" ]
}
# Everything of that job on this machine, its children in other sessions included.
end_job() {
  sid='' looks=0
  # twice: a process in the middle of an exec shows no environment
  while [ "$looks" -lt 2 ]; do
    find_marked "TOWLINE_PULL=$key.$owner_n"
    looks=$((looks + 1))
    # shellcheck disable=SC2086 # pids
    [ -z "$pids" ] || { looks=0; kill -KILL $pids 2>/dev/null; }
    nap
  done
}`;

const PULL = `${READY}
${QUESTION}
running() {
  true >"$job/seen.$n"
  if [ -n "$every" ] && [ ! -e "$job/cache/cache/blob/oci-layout" ] && current; then
    echo '@ asking'
    return
  fi
  size=$(du -sk "$job")
  echo "@ running \${size%%[!0-9]*}"
} 2>/dev/null
# A builtin writes it, so it stands in no command line.
login() {
  [ -z "$auth" ] || (umask 077 && printf %s "$auth" >"$job/auth.json")
}
# The room that the result will need is taken now: a full disk is told before anything is fetched.
start() {
  # IMPORTANT: looked at again with the lock held: a job may have ended between the first look and the lock
  if ! current; then
    image=''
  elif due; then
    date +%s >".asked.$key"
  else
    rm -rf "$job"
    return
  fi
  # what df tells counts quotas where a file system does
  free=$(df -Pk . 2>/dev/null | sed -n 's/.* \\([0-9][0-9]*\\)  *[0-9]*% .*/\\1/p')
  if [ -n "$free" ] && [ "$free" -lt "$min_free" ]; then
    rm -rf "$job"
    printf '%s\\n' '@ failed' "| towline: not enough space in $PWD: $free KiB free, $min_free KiB needed" && exit 0
  fi 2>/dev/null
  if ! { printf '%4095s\\n' '' >"$job/room" && printf %s "$text" >"$job/job.sh" && login; }; then
    rm -rf "$job"
    printf '%s\\n' '@ failed' '| no space left on device' && exit 0
  fi
  (cd "$job" && TOWLINE_PULL=$key.$n && export TOWLINE_PULL && run_job) </dev/null >/dev/null 2>&1 &
  pid=$! start=0
  stat_of "$pid"
  echo "1 $n $pid $start $boot $machine $host" >"$job/owner"
}
# The heartbeat did not move for a minute of our own clock: no clock of another machine is asked.
unmoved() {
  hb='' seen='' since=''
  [ -s "$job/hb" ] && read -r hb <"$job/hb"
  [ -s "$job/watch.$n" ] && read -r since seen <"$job/watch.$n"
  read_clock
  if [ -n "$since" ] && [ "$seen" = "$hb" ]; then
    [ $((now - since)) -ge 6000 ]
  else
    echo "$now $hb" >"$job/watch.$n"
    false
  fi
} 2>/dev/null
stale() {
  read_owner || { unmoved; return; }
  # another boot of the same machine, or a process that is gone and left no result
  if [ "$owner_place" = "$machine $host" ]; then
    [ "$owner_boot" = "$boot" ] || return 0
    is_alive "$owner_pid" "$owner_start" || { [ -e "$job/owner" ] && [ ! -e "$job/result" ] && return 0; }
  fi
  unmoved
}
# Two may judge it over: the rename has one winner, and who got a fresh job by mistake puts it back.
replace() {
  judged=$owner old=.old-$key-$n
  mv "$job" "$old" 2>/dev/null || return 0
  was=$job job=$old
  read_owner
  job=$was
  if [ "$owner" != "$judged" ]; then
    [ -d "$job" ] || mv "$old" "$job"
    return 0
  fi
  if owned_here; then end_job; fi
  # what was fetched already is not fetched again
  if mkdir "$job" 2>/dev/null; then
    mv "$old/cache" "$job/cache" 2>/dev/null
    start
  fi
  discard "$old"
}
# A failure is told to all who saw the job run; a new wish starts anew.
told() {
  [ -s "$job/result" ] && [ -e "$job/seen.$n" ] || return 1
  echo '@ failed'
  tail -c 3000 "$job/log" | sed 's/^/| /'
}
look() {
  if fresh && ready; then return; fi
  # again where there is none: a job that ends just then takes its directory away
  if mkdir "$job" 2>/dev/null || { [ ! -d "$job" ] && mkdir "$job" 2>/dev/null; }; then
    start
  elif ! [ -d "$job" ]; then
    { fresh && ready; } || printf '%s\\n' '@ failed' '| cannot make a directory (no space left on device?)'
    return
  elif told; then
    return
  elif [ -s "$job/result" ]; then
    read_owner
    replace
  elif stale; then
    replace
  fi
  { fresh && ready; } || running
}
look`;

/**
 * Gives the text that has an image: it says that the image is ready, starts a job, or says how the one
 * under way does. The same text is asked again until it says ready or failed.
 * @throws CONFIG_VALUE_INVALID on a directory that is not absolute.
 */
export function pullText(place: PullPlace): string {
  const words = [
    place.runtime,
    place.reference,
    String(Math.ceil(place.timeoutMs / 10)),
    place.setup ?? '',
    place.priority ?? 'normal',
    ...(place.insecure ? ['--no-https'] : []),
  ];
  return [
    ...enter(
      place,
      // a cache outside the root may be shared: it is as the account's own umask makes it
      `case $dir/ in ${quote(place.root)}/*) ;; *) umask "\${TOWLINE_UMASK:-077}" ;; esac\nmkdir -p "$dir"`,
    ),
    `n=${quote(safeName(place.nonce))}`,
    `every=${quote(everyWord(place.newer))} auth=${quote(place.auth ?? '')} min_free=${Math.ceil((place.minFreeBytes ?? 0) / 1024)}`,
    READ_CLOCK,
    SHARED,
    `text=${quote(PULL_JOB)}`,
    'run_job() {',
    `  exec setsid sh ./job.sh "$n" "$key" "$image" ${quoteAll(words)}`,
    '}',
    PULL,
  ].join('\n');
}

/** Gives the text that ends the pull of an image and removes what it left. An image that is ready stays. */
export function pullCancelText(place: Pick<PullPlace, 'directory' | 'key' | 'nonce'>): string {
  return [
    ...enter(place, 'true'),
    `n=${quote(safeName(place.nonce))}`,
    SHARED,
    'if mv "$job" ".old-$key-$n" 2>/dev/null; then',
    '  job=.old-$key-$n',
    '  read_owner',
    '  tries=0',
    '  # again, when something of it was missed and still writes there',
    '  while [ -e "$job" ] && [ "$tries" -lt 20 ]; do',
    '    tries=$((tries + 1))',
    '    if owned_here; then end_job; fi',
    '    discard "$job" 2>/dev/null',
    '  done',
    'fi',
    "echo '@ ended'",
  ].join('\n');
}

function enter({ directory, key }: Pick<PullPlace, 'directory' | 'key'>, way: string): string[] {
  return [
    '# shellcheck disable=SC2016 # the job is a text of its own',
    `dir=${templateWord(directory)} key=${quote(safeName(key))}`,
    way,
    `cd "$dir" || { printf '%s\\n' '@ failed' "| cannot use the directory $dir"; exit 0; }`,
    'job=.pull-$key',
    STAT_OF,
    IS_ALIVE,
    FIND_MARKED,
    NAP,
  ];
}

const kibSchema = z.string().regex(/^\d*$/).transform(Number);

/** Reads the reply of `pullText`. @throws HOST_REPLY_INVALID. */
export function parsePull(output: string, query: { host: string }): PullReply {
  const purpose = `pulling an image on ${query.host}`;
  const { lines, noise } = splitReply(output);
  const line = lines[0];
  if (line === undefined || lines.length > 1)
    throw replyInvalid(purpose, `${lines.length} reply lines instead of one`, noise);
  if (line.verb === 'failed') return { kind: 'failed', output: noise.replaceAll(/^\| /gm, '') };
  if (line.verb === 'asking') return { kind: 'running' };
  if (line.verb === 'running')
    return { kind: 'running', bytes: parseValue(kibSchema, line.rest, purpose) * 1024 };
  if (line.verb !== 'ready')
    throw replyInvalid(purpose, `unknown word ${JSON.stringify(line.verb)}`, noise);
  return parseReady(line.rest, purpose);
}
