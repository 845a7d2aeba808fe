/**
 * Shell functions that several texts share: they look at processes through /proc with builtins, since
 * a fork costs more than all of it. A process is known by pid and start time (jiffies since boot);
 * what belongs to an attempt is known by the word TOWLINE_ATTEMPT=<token> in its environment.
 */

/**
 * `stat_of PID` sets $state $start, or fails when there is no such process. Counted after the last
 * ")": a process may be called `a) (b c`. All lines are read: a name may hold a newline.
 */
export const STAT_OF = `stat_of() {
  [ -r "/proc/$1/stat" ] || return 1
  stat='' line=''
  { while IFS= read -r line || [ -n "$line" ]; do stat=$stat$line; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=\${stat##*) }
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  [ $# -ge 20 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for it
  state=$1 start=\${20}
}`;

/** `is_alive PID START` is true for that very process, not for a zombie or for a later one of the same pid. */
export const IS_ALIVE = `is_alive() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}`;

/**
 * `find_marked WORD` sets $pids to the processes with exactly this NAME=value in their environment and, when $sid is not
 * empty, to those of that session: one fork. Where a host has more processes than a program takes names, grep does not
 * start (126) and it is asked by parts: nothing seen must not look like nothing there. A helper of the runtime may have lost the one, a daemonised child the other.
 */
export const FIND_MARKED = `find_marked() {
  pids='' word=$1
  # a dot of the token would match any character
  while case $word in *.*) ;; *) false ;; esac; do pids=$pids\${word%%.*}'[.]' word=\${word#*.}; done
  word=$pids$word pids='' asked=0 some='[0-9]'
  found=$(grep_marked) || asked=$?
  if [ "$asked" -gt 2 ]; then
    for some in 1 2 3 4 5 6 7 8 9; do found="$found $(grep_marked)"; done
  fi
  # shellcheck disable=SC2086 # names under /proc have no spaces
  set -- $found
  for file; do
    file=\${file#/proc/}
    pids="$pids \${file%/*}"
  done
}
# In a subshell. $some is a pattern for the first digit.
grep_marked() {
  # shellcheck disable=SC2086
  exec grep -lszE -e "^$word\\$" \${sid:+-e "\\) [^ZX] [0-9]+ [0-9]+ $sid [^)]*\\$"} \\
    /proc/$some*/environ \${sid:+/proc/$some*/stat}
}`;

/**
 * `session_of_leader` sets $sid from the file `leader`, or to nothing when its pid is another process by now. When there is
 * none, the number may name a stranger's session: only who saw the leader alive a moment ago still goes by it.
 */
export const SESSION_OF_LEADER = `seen_leader=''
session_of_leader() {
  sid=''
  [ -s leader ] || return 0
  read -r sid since <leader
  if stat_of "$sid"; then
    if [ "$start" = "$since" ]; then seen_leader=$sid; else sid=''; fi
  elif [ "$sid" != "$seen_leader" ]; then
    sid=''
  fi
}`;

/** \`read_clock\` sets $now in hundredths of a second since boot: no step of the wall clock moves it. */
export const READ_CLOCK = `read_clock() {
  read -r now _ </proc/uptime
  now=\${now%.*}\${now#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=\${now#0}; done
}`;

/** \`nap\` waits a moment; not every sleep knows fractions. */
export const NAP = `nap() {
  sleep 0.05 2>/dev/null || sleep 1
}`;

/**
 * `stop_payload HUNDREDTHS` sends TERM to all of the attempt, then KILL when that time is over, until none is left. Where
 * something was found it looks twice: a process in the middle of an exec shows no environment. Who serves the image's
 * file system hears no TERM: a payload that tidies up needs its programs.
 */
export const STOP_PAYLOAD = `stop_payload() {
  read_clock
  kill_at=$((now + $1)) told='' calm=''
  while session_of_leader; find_marked "TOWLINE_ATTEMPT=$token"; [ -n "$pids" ] || [ "$told$calm" = 1 ]; do
    read_clock
    # shellcheck disable=SC2086 # pids, to be split
    if [ -z "$pids" ]; then
      calm=1
    elif [ "$now" -ge "$kill_at" ]; then
      calm='' told=1
      kill -KILL $pids
    elif calm='' && [ -z "$told" ]; then
      told=1
      for pid in $pids; do
        read -r comm <"/proc/$pid/comm" || continue
        case $comm in squashfuse* | fuse-overlayfs | fuse2fs | gocryptfs) ;; *) kill -TERM "$pid" ;; esac
      done
    fi 2>/dev/null
    nap
  done
}`;
