/**
 * A command inside a task that is there already, beside its own command: in the namespaces of the
 * running payload where the account may join them, else in a new container with the same words as
 * run.sh. Nothing of the attempt's protocol is touched: no ticket, no record, no stream. Everything
 * that is started carries TOWLINE_ATTEMPT (the end of the attempt ends it, too) and TOWLINE_EXEC.
 */
import { z } from 'zod';
import type { AttemptToken } from '../domain/task.ts';
import { LOAD_CRLF } from './environment.ts';
import { safeName } from './layout.ts';
import { FIND_MARKED, IS_ALIVE, NAP, STAT_OF } from './process-text.ts';
import { quote, quoteAll } from './quote.ts';
import { onlyLine, parseValue, replyInvalid } from './reply.ts';
import { containerLines, type ScriptPlan, setupLines } from './task-script.ts';

/** How a command can get inside. */
export type WayIn =
  | { kind: 'join'; pid: number; start: string; namespaces: string[] }
  /** The container comes up just now: ask again in a moment. */
  | { kind: 'starting' }
  /** `why` there is nothing to join; empty: it was not asked. */
  | { kind: 'fresh'; hasShell: boolean; why: string }
  /** The directory of the attempt is not there. */
  | { kind: 'gone' }
  | { kind: 'image-gone' };

export interface InsideCommand {
  command: readonly string[];
  /** Its own for each: what is started is found by it. */
  nonce: string;
  /** The value of TERM, on a terminal. */
  term?: string | undefined;
}

const WORK = '/mnt/task/work';

const TARGET = `# shellcheck disable=SC3013 # not in POSIX, but in every sh on Linux
same_namespace() {
  [ "/proc/$1/ns/$2" -ef "/proc/self/ns/$2" ]
}
# The first process of the payload: in the leader's session, in other namespaces than ours.
find_target() {
  target='' oldest=''
  [ -s leader ] || return 1
  # shellcheck disable=SC2094 # it is only read
  read -r leader since <leader
  is_alive "$leader" "$since" || return 1
  sid=''
  find_marked "TOWLINE_ATTEMPT=$1"
  for pid in $pids; do
    [ "$pid" != "$leader" ] || continue
    stat_of "$pid" || continue
    [ -z "$oldest" ] || [ "$start" -lt "$oldest" ] || continue
    same_namespace "$pid" mnt && continue
    case $stat in "$state "*" $leader "*) ;; *) continue ;; esac
    target=$pid oldest=$start
  done
  [ -n "$target" ]
}
# Those namespaces that are not ours; without one of users only root may join the others.
find_flags() {
  flags=''
  for pair in user=U mnt=m ipc=i uts=u net=n pid=p cgroup=C; do
    same_namespace "$target" "\${pair%=*}" || flags="$flags -\${pair#*=}"
  done
  case $flags in *U*) return 0 ;; esac
  [ "$(id -u)" = 0 ]
}
look_again() {
  if ! [ -e exit.json ]; then echo '@ starting' && exit 0; fi
}
may_join() {
  command -v nsenter >/dev/null || { why='nsenter of util-linux is not on the host'; return 1; }
  # the words in the container leave "started" before anything else: until then the runtime's own processes come and go
  began=''
  [ -s rc ] && read -r began <rc
  case $began in
    started) ;;
    noshell) why='the image has no /bin/sh'; return 1 ;;
    *) look_again ;;
  esac
  find_target "$1" || { why='no process of its container can be seen'; return 1; }
  find_flags || { why='the runtime uses no user namespace, which only root could join'; return 1; }
  # not looked for through /proc: a root that FUSE serves opens to those inside only
  # shellcheck disable=SC2086 # options, to be split
  why=$(nsenter --preserve-credentials $flags -t "$target" /bin/sh -c : 2>&1 </dev/null) || {
    is_alive "$target" "$oldest" || look_again
    case $why in
      *'/bin/sh: No such file'*) why='the image has no /bin/sh' ;;
      '') why='nsenter failed' ;;
    esac
    return 1
  }
}`;

/** Gives the text that finds the way inside; a payload is only joined if it \`runs\`. */
export function wayInText(query: {
  dir: string;
  token: AttemptToken;
  runs: boolean;
  imagePath: string;
}): string {
  const token = safeName(query.token);
  return [
    STAT_OF,
    IS_ALIVE,
    FIND_MARKED,
    TARGET,
    `cd ${quote(query.dir)} 2>/dev/null || { echo '@ gone'; exit 0; }`,
    "why=''",
    ...(query.runs
      ? [`may_join ${token} && { echo "@ join $target $oldest$flags"; exit 0; }`]
      : []),
    `[ -r ${quote(query.imagePath)} ] || { echo '@ image-gone'; exit 0; }`,
    'shell=shell',
    'while read -r word how; do',
    '  [ "$word" = noshell ] || [ "$how" = direct ] && shell=noshell',
    'done <rc 2>/dev/null',
    'printf "@ fresh $shell %s\\n" "$(printf %s "$why" | head -n 1)"',
  ].join('\n');
}

const pidSchema = z.coerce.number().int().positive();
const startSchema = z.string().regex(/^\d+$/);
const flagsSchema = z.array(z.string().regex(/^-[UmiunpC]$/));

/** Reads the way inside. @throws HOST_REPLY_INVALID */
export function parseWayIn(output: string): WayIn {
  const purpose = 'looking for a way inside';
  const { verb, rest, noise } = onlyLine(purpose, output);
  const [first = '', second = '', ...more] = rest.split(' ');
  switch (verb) {
    case 'gone':
    case 'image-gone':
    case 'starting':
      return { kind: verb };
    case 'join':
      return {
        kind: 'join',
        pid: parseValue(pidSchema, first, purpose),
        start: parseValue(startSchema, second, purpose),
        namespaces: parseValue(flagsSchema, more, purpose),
      };
    case 'fresh':
      return { kind: 'fresh', hasShell: first === 'shell', why: rest.slice(first.length + 1) };
    default:
      throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  }
}

/**
 * Ends what a command has started, all of the session of its channel: hung up, then asked, then killed.
 * Runs beside it in a session of its own, on the signal USR1 or when the command's shell or the far end
 * of its channel has gone: sshd leaves a command without a terminal alone when the connection breaks.
 * Arguments: NONCE, pid and start of the shell, session, parent of the session.
 */
const REAPER = `parent_of() {
  stat_of "$1" || return 1
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  parent=$2
}
main() {
  told='' nonce=$1 main=$2 since=$3 leader=$4 above=$5
  trap 'told=1' USR1
  while [ -z "$told" ] && is_alive "$main" "$since" && parent_of "$leader" && [ "$parent" = "$above" ]; do
    sleep 1 &
    wait "$!"
  done
  trap '' HUP TERM
  for how in HUP TERM KILL KILL KILL; do
    looks=0
    while sid=$leader; find_marked "TOWLINE_EXEC=$nonce"; [ -n "$pids" ] && [ "$looks" -lt 20 ]; do
      # shellcheck disable=SC2086 # pids, to be split
      [ "$looks" -gt 0 ] || kill "-$how" $pids 2>/dev/null
      looks=$((looks + 1))
      nap
    done
  done
}
main "$@"`;

/** Runs "$@" beside its reaper and ends with its code. */
const ATTEND = `attend() {
  stat_of "$$"
  since=$start
  session_of_stat "$stat"
  stat_of "$leader" || leader=$$
  stat_of "$leader"
  parent_of_stat "$stat"
  (
    export TOWLINE_EXEC_REAPER="$TOWLINE_EXEC"
    set -- "$TOWLINE_EXEC" "$$" "$since" "$leader" "$parent"
    # by these it would find itself
    unset TOWLINE_EXEC TOWLINE_ATTEMPT
    exec setsid sh -c "$reaper" towline-reaper "$@"
  ) </dev/null >/dev/null 2>&1 &
  beside=$!
  # caught, not ignored: what is started gets them as ever
  trap : INT QUIT TERM
  "$@"
  code=$?
  # its group: the sleep in it, too
  kill -TERM "-$beside" 2>/dev/null || kill -TERM "$beside" 2>/dev/null
  exit "$code"
}
session_of_stat() {
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $1
  leader=$4
}
parent_of_stat() {
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $1
  parent=$2
}`;

/** Words for the sh of the image: the first so many are the environment, then comes the command. */
const ENTER = `TOWLINE_LEFT=$1; shift; while [ "$TOWLINE_LEFT" -gt 0 ]; do case $1 in UID=*|EUID=*|PPID=*|BASHOPTS=*|SHELLOPTS=*|TOWLINE_LEFT=*) ;; *) export "$1" ;; esac; shift; TOWLINE_LEFT=$((TOWLINE_LEFT - 1)); done; unset TOWLINE_LEFT; [ -z "$TOWLINE_CRLF" ] || { ${LOAD_CRLF}}; cd ${WORK}; unset OLDPWD; exec "$@"`;

/** Gives the text that runs a command in the namespaces of a process of the task, with that one's environment. */
export function joinText(way: WayIn & { kind: 'join' }, inside: InsideCommand): string {
  const { pid, start, namespaces } = way;
  const more = [`TOWLINE_EXEC=${safeName(inside.nonce)}`];
  if (inside.term !== undefined) more.push(`TERM=${inside.term}`);
  return [
    ...beginning(inside),
    `is_alive ${pid} ${start} || { echo 'towline: the command of the task has ended just now' >&2; exit 125; }`,
    // quoted as words of this shell; the values never become variables of it
    `words=$(LC_ALL=C sed -z -n "s/'/'\\\\\\\\''/g; s/^[A-Za-z_][A-Za-z0-9_]*=.*/'&'/p" /proc/${pid}/environ | tr '\\0' ' ')`,
    'eval "set -- $words"',
    `set -- "$(($# + ${more.length}))" "$@" ${quoteAll(more)}`,
    `attend env -i "$(command -v nsenter)" --preserve-credentials ${namespaces.join(' ')} -t ${pid} \\`,
    `  /bin/sh -c ${quote(ENTER)} sh "$@" ${quoteAll(inside.command)}`,
  ].join('\n');
}

/** Gives the text that runs a command in a new container of the attempt's own plan. @throws TASK_INVALID */
export function freshText(plan: ScriptPlan, inside: InsideCommand & { hasShell: boolean }): string {
  const prefix = `export ${plan.variablePrefix}ENV_`;
  const words = inside.hasShell
    ? [
        '/bin/sh',
        '-c',
        `[ -z "$TOWLINE_CRLF" ] || { ${LOAD_CRLF}}; exec "$@"`,
        'sh',
        ...inside.command,
      ]
    : inside.command;
  return [
    ...beginning(inside),
    `cd ${quote(plan.dir)} || exit 125`,
    ...setupLines(plan.setup),
    ...containerLines(plan),
    `${prefix}TOWLINE_EXEC=${quote(safeName(inside.nonce))}`,
    ...(inside.term === undefined ? [] : [`${prefix}TERM=${quote(inside.term)}`]),
    // the runtime itself is of the attempt, too
    `export TOWLINE_EXEC TOWLINE_ATTEMPT=${quote(plan.token)}`,
    `attend ${quote(plan.runtime)} --silent "$@" ${quoteAll(words)}`,
  ].join('\n');
}

/** Gives the text that signals all that a command has started; SSH carries none once stdin has ended. */
export function signalText(nonce: string, name: 'HUP' | 'INT' | 'QUIT' | 'TERM' | 'KILL'): string {
  return [
    FIND_MARKED,
    "sid=''",
    `find_marked TOWLINE_EXEC=${safeName(nonce)}`,
    '# shellcheck disable=SC2086 # pids, to be split',
    `[ -z "$pids" ] || kill -${name} $pids`,
  ].join('\n');
}

/** Gives the text that has everything of a command ended, by its reaper. */
export function hangUpText(nonce: string): string {
  return [
    FIND_MARKED,
    "sid=''",
    `find_marked TOWLINE_EXEC_REAPER=${safeName(nonce)}`,
    '# shellcheck disable=SC2086 # pids, to be split',
    '[ -z "$pids" ] || kill -USR1 $pids',
  ].join('\n');
}

function beginning({ nonce }: InsideCommand): string[] {
  const reaper = [STAT_OF, IS_ALIVE, FIND_MARKED, NAP, REAPER].join('\n');
  return [
    '# shellcheck disable=SC2016,SC1003,SC2317 # the reaper and the words for the container are texts of their own',
    STAT_OF,
    IS_ALIVE,
    ATTEND,
    `TOWLINE_EXEC=${safeName(nonce)}`,
    `reaper=${quote(reaper)}`,
  ];
}
