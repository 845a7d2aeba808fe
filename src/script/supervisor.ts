/**
 * sup.sh: carries one attempt from its ticket to its exit record, detached from every connection.
 *
 *   S0  sup.sh itself: makes two pipes and ends; it stays the number of the session
 *   Y   the supervisor: claims the ticket, starts the leader, waits, counts, writes exit.json
 *   W W the copiers' shells: run `cat` under the cap, leave its code in .copied.<stream>.<n>
 *   L   the leader: a session of its own; run.sh, which becomes the container runtime
 *   T   only with a time limit: wakes Y, or does its work when Y was killed
 *
 * As a job of a scheduler nothing is put into the background: sup.sh ends when all of it has ended, and the
 * scheduler's TERM, which goes to every process of a job, ends the payload but not those that write down its end.
 *
 * The copiers are no children of Y and no part of L's session: they outlive both and drain the pipes.
 * Y, W, T carry TOWLINE_SUPERVISOR=<token> in their environment, everything of L TOWLINE_ATTEMPT=<token>.
 */

import {
  FIND_MARKED,
  IS_ALIVE,
  NAP,
  READ_CLOCK,
  SESSION_OF_LEADER,
  STAT_OF,
  STOP_PAYLOAD,
} from './process-text.ts';
import { SUPERVISOR_CLAIM } from './supervisor-claim.ts';
import { SUPERVISOR_COPY } from './supervisor-copy.ts';
import { SUPERVISOR_END } from './supervisor-end.ts';
import { SUPERVISOR_MEMORY } from './supervisor-memory.ts';
import { SUPERVISOR_USAGE } from './supervisor-usage.ts';

const SUPERVISE = `supervise() {
  # by exec, not on the call: a shell keeps copies of what a call redirects, and pipes would never end
  exec 3>&1 4>&6 6>&- >/dev/null
  count_oom_kills
  # before there is a record to find this process by: a copier that fails at once must not end it
  trap 'woken=1' USR1
  [ "$how" != job ] || trap 'woken=1 dismissed=1 grace=2000; true >".job.$n"' TERM
  # nothing slow from here to the leader: who hears that it started takes the payload to be there
  claim
  begin_usage
  start_leader
  watcher=
  if [ "$limit" -gt 0 ]; then
    watch_time &
    watcher=$!
  fi
  wait_for_leader
  if ! began && lacks_shell; then
    start_leader direct
    wait_for_leader
    began
    [ -n "$began" ] || printf 'started\\n%s direct\\n' "$code" 1<>rc
  fi
  end_usage
  exec 3>&- 4>&-
  [ -z "$watcher" ] || kill -TERM "$watcher" 2>/dev/null
  end_attempt
}`;

const LEADER = `start_leader() {
  (
    unset TOWLINE_SUPERVISOR
    export TOWLINE_ATTEMPT="$token"
    # written in place: its room was taken before the start
    exec setsid sh ./run.sh "$@" 5<>rc
  ) <"$input" >>runtime.log 2>&1 &
  leader=$! sid=$! seen_leader=$!
  stat_of "$leader" && printf '%s %s\\n' "$leader" "$start" >leader
}

# A signal of a copier or of the watcher ends the wait early: then the payload is to be ended.
wait_for_leader() {
  woken=$dismissed
  [ -n "$woken" ] || wait "$leader"
  code=$?
  while [ -n "$woken" ]; do
    woken=
    stop_payload "$grace"
    wait "$leader"
    # 127: the first wait had its code already
    again=$?
    [ "$again" -eq 127 ] || code=$again
  done
}

# The words in the container leave "started" before anything else.
began() {
  began=
  [ -s rc ] && read -r began <rc
  [ "$began" = started ]
}

lacks_shell() {
  while read -r said; do
    case $said in */bin/sh*'no such file'*) return 0 ;; esac
  done <runtime.log
  return 1
}`;

const WATCH_TIME = `watch_time() {
  exec 3>&- 4>&-
  trap 'kill "$napper" 2>/dev/null; exit 0' TERM
  read_clock
  until_at=$((now + (limit + 9) / 10))
  while read_clock; left=$((until_at - now)); [ "$left" -gt 0 ]; do
    # a suspended machine sleeps longer than asked: look again at least once a minute
    if [ "$left" -gt 6000 ]; then sleep 60; else sleep "$((left / 100)).$((left % 100 / 10))$((left % 10))"; fi &
    napper=$!
    wait "$napper" || nap
    any_left || exit 0
  done
  true >".time.$n"
  wake_supervisor
}

# A supervisor that was killed does not end its watcher; who looks for survivors must not find it for hours.
any_left() {
  read -r supervisor since _ <".sup.$n"
  is_alive "$supervisor" "$since" && return
  session_of_leader
  find_marked "TOWLINE_ATTEMPT=$token"
  [ -n "$pids" ]
}

# Until it has gone: a signal between its look and its wait would be lost. Without it the payload is ended from here.
wake_supervisor() {
  read -r supervisor since _ <".sup.$n"
  while is_alive "$supervisor" "$since"; do
    [ -e exit.json ] && return
    kill -USR1 "$supervisor" 2>/dev/null
    sleep 1
  done
  [ -e exit.json ] || stop_payload 500
}`;

const MAIN = `main() {
  n=$1 token=$2 cap=$3 limit=$4 outputs=\${5:-0} how=\${6:-}
  dismissed='' grace=500
  input=/dev/null
  [ -e stdin ] && input=stdin
  exec 7>&1
  if [ "$how" = job ]; then
    trap '' TERM
    {
      supervise | copy stdout &
      # the pipes are for those in the background: who waits must not hold them open
      exec >/dev/null 6>&-
      wait
    } 6>&1 | copy stderr
    return
  fi
  {
    {
      supervise
    } | copy stdout &
  } 6>&1 | copy stderr &
}
main "$@"
`;

/**
 * Gives sup.sh. It is started with the attempt's directory as working directory, in a session of its
 * own, with the arguments NONCE TOKEN OUTPUT_LIMIT_BYTES TIME_LIMIT_MS (0: none) HAS_OUTPUTS (0 or 1), and says one line:
 * `@ started <record>`, `@ lost`, `@ cancelled` or `@ failed <what>`. A sixth argument `job`: it stays until all has ended.
 */
export function supervisorScript(): string {
  return [
    '#!/bin/sh',
    '# Towline supervisor, format 1: sup.sh NONCE TOKEN OUTPUT_LIMIT_BYTES TIME_LIMIT_MS HAS_OUTPUTS [job], in the directory of the attempt.',
    STAT_OF,
    IS_ALIVE,
    FIND_MARKED,
    SESSION_OF_LEADER,
    READ_CLOCK,
    NAP,
    STOP_PAYLOAD,
    SUPERVISOR_COPY,
    SUPERVISOR_CLAIM,
    LEADER,
    WATCH_TIME,
    SUPERVISOR_END,
    SUPERVISOR_MEMORY,
    SUPERVISOR_USAGE,
    SUPERVISE,
    MAIN,
  ].join('\n\n');
}
