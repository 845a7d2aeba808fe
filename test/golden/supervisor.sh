#!/bin/sh

# Towline supervisor, format 1: sup.sh NONCE TOKEN OUTPUT_LIMIT_BYTES TIME_LIMIT_MS HAS_OUTPUTS [job], in the directory of the attempt.

stat_of() {
  [ -r "/proc/$1/stat" ] || return 1
  stat='' line=''
  { while IFS= read -r line || [ -n "$line" ]; do stat=$stat$line; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  [ $# -ge 20 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for it
  state=$1 start=${20}
}

is_alive() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}

find_marked() {
  pids='' word=$1
  # a dot of the token would match any character
  while case $word in *.*) ;; *) false ;; esac; do pids=$pids${word%%.*}'[.]' word=${word#*.}; done
  word=$pids$word pids='' asked=0 some='[0-9]'
  found=$(grep_marked) || asked=$?
  if [ "$asked" -gt 2 ]; then
    for some in 1 2 3 4 5 6 7 8 9; do found="$found $(grep_marked)"; done
  fi
  # shellcheck disable=SC2086 # names under /proc have no spaces
  set -- $found
  for file; do
    file=${file#/proc/}
    pids="$pids ${file%/*}"
  done
}
# In a subshell. $some is a pattern for the first digit.
grep_marked() {
  # shellcheck disable=SC2086
  exec grep -lszE -e "^$word\$" ${sid:+-e "\) [^ZX] [0-9]+ [0-9]+ $sid [^)]*\$"} \
    /proc/$some*/environ ${sid:+/proc/$some*/stat}
}

seen_leader=''
session_of_leader() {
  sid=''
  [ -s leader ] || return 0
  read -r sid since <leader
  if stat_of "$sid"; then
    if [ "$start" = "$since" ]; then seen_leader=$sid; else sid=''; fi
  elif [ "$sid" != "$seen_leader" ]; then
    sid=''
  fi
}

read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=${now#0}; done
}

nap() {
  sleep 0.05 2>/dev/null || sleep 1
}

stop_payload() {
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
}

copy() {
  exec >/dev/null 6>&- 7>&-
  stream=$1
  (
    # shellcheck disable=SC3045 # not in POSIX, but in every sh on Linux; SIGXFSZ would leave a core
    ulimit -c 0
    [ "$cap" -eq 0 ] || ulimit -f "$(((cap + 511) / 512))"
    exec cat >>"$stream"
  ) 2>>runtime.log
  copied=$?
  # over the room the claim made: a full disk does not lose it; without a claim there is nothing to tell
  [ ! -e ".copied.$stream.$n" ] || printf '%s\n' "$copied" 1<>".copied.$stream.$n"
  [ "$copied" -eq 0 ] || wake_supervisor
}

claim() {
  read -r me _ </proc/self/stat
  stat_of "$me"
  read -r boot </proc/sys/kernel/random/boot_id
  read -r host </proc/sys/kernel/hostname
  case $host in *[!A-Za-z0-9._-]*) host=unknown ;; esac
  machine=
  [ -r /etc/machine-id ] && read -r machine </etc/machine-id
  at=$(date +%s)
  record="{\"format\":1,\"n\":\"$n\",\"pid\":$me,\"start\":\"$start\",\"boot\":\"$boot\",\"machine\":\"$machine\",\"hostname\":\"$host\",\"at\":$at}"
  printf '%s %s\n' "$me" "$start" >".sup.$n" || give_up no-record
  printf '%s\n' "$record" >"sup.$n.json" || give_up no-record
  printf '%8191s\n' '' >".exit.$n" || give_up no-record
  for stream in stdout stderr; do
    printf '%7s\n' '' >".copied.$stream.$n" || give_up no-record
  done
  # who took the ticket must be known whatever happens next
  make_durable "sup.$n.json" ".exit.$n"
  mv ticket "go.$n" 2>/dev/null
  [ -e "go.$n" ] || give_up no-ticket
  # a launch that comes after the attempt was cleaned away: it ran already
  [ ! -e "../.ended/$token" ] || give_up ended
  make_durable . ..
  # who asked may be gone by now: that must not end what has taken the ticket. Caught, not ignored: the payload would inherit that
  trap : PIPE
  printf '@ started %s\n' "$record" 2>/dev/null >&7
  trap - PIPE
  exec 7>&-
}

give_up() {
  rm -f ".sup.$n" "sup.$n.json" ".exit.$n" ".copied.stdout.$n" ".copied.stderr.$n"
  for seen in cancelled.*; do
    [ -e "$seen" ] && set -- cancelled
  done
  case $1 in
    no-ticket) echo '@ lost' ;;
    cancelled | ended) echo '@ cancelled' ;;
    *) echo "@ failed $1" ;;
  esac >&7
  exit 0
}

# Hosts whose sync takes no names sync everything.
make_durable() {
  sync "$@" 2>/dev/null || sync
}

start_leader() {
  (
    unset TOWLINE_SUPERVISOR
    export TOWLINE_ATTEMPT="$token"
    # written in place: its room was taken before the start
    exec setsid sh ./run.sh "$@" 5<>rc
  ) <"$input" >>runtime.log 2>&1 &
  leader=$! sid=$! seen_leader=$!
  stat_of "$leader" && printf '%s %s\n' "$leader" "$start" >leader
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
}

watch_time() {
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
}

end_attempt() {
  await_copiers 200
  stop_payload 100
  await_copiers 500
  judge_streams
  drained || end_copiers
  read_code
  if [ "$limit_hit" = null ] && lacked_memory; then limit_hit='"memory"'; fi
  printf ' ' 1<>".exit.$n"
  # shellcheck disable=SC2046 # six numbers
  set -- $(stat -c '%s %Y' stdout stderr ".exit.$n")
  out=${1:-0} err=${3:-0} at=${6:-0}
  log=
  [ "$started" = true ] || tail_of_log
  read_steps
  printf '{"format":1,"n":"%s","started":%s,"code":%s,"direct":%s,"runtimeCode":%s,"limit":%s,"copier":%s,"copierCode":%s,"out":%s,"err":%s,"at":%s,"log":"%s","usage":%s%s}\n' \
    "$n" "$started" "$exit_code" "$direct" "$code" "$limit_hit" "$copier" "$copier_code" "$out" "$err" "$at" "$log" "$usage" "$steps" 1<>".exit.$n"
  make_durable ".exit.$n" stdout stderr
  ln ".exit.$n" exit.json 2>/dev/null || [ -e exit.json ] || mv ".exit.$n" exit.json
  [ "$outputs" -eq 0 ] || settle_outputs
}

# A loss of power may keep the record and lose what the command wrote just before; the mark says that it is on disk.
settle_outputs() {
  { find work volumes \( -type f -o -type d \) -exec sync {} + || sync; } 2>/dev/null
  true >".settled.$n"
  make_durable .
}

drained() {
  for stream in stdout stderr; do
    read -r copied <".copied.$stream.$n"
    [ -n "$copied" ] || return 1
  done
}

# Mostly they end at once: look some hundred times before a sleep is worth its fork.
await_copiers() {
  looks=0
  while ! drained && [ "$looks" -lt 300 ]; do looks=$((looks + 1)); done
  drained && return
  read_clock
  give_up_at=$((now + $1))
  while ! drained && read_clock && [ "$now" -lt "$give_up_at" ]; do nap; done
}

# What holds the pipe has left session and environment behind and cannot be found; it learns by SIGPIPE.
end_copiers() {
  # shellcheck disable=SC2086 # pids, to be split
  find_crew && kill -KILL $crew 2>/dev/null
}

# Sets $crew to the others of the attempt that are not payload: the copiers and their shells.
find_crew() {
  sid='' crew=''
  find_marked "TOWLINE_SUPERVISOR=$token"
  for pid in $pids; do
    [ "$pid" = "$me" ] || crew="$crew $pid"
  done
  [ -n "$crew" ]
}

# 153: ended by SIGXFSZ, the cap. No code and no process: somebody killed the copier. No code but a process: the pipe is
# still held by something that escaped; what came so far is the stream.
judge_streams() {
  limit_hit=null copier=null copier_code=null
  for stream in stdout stderr; do
    read -r copied <".copied.$stream.$n"
    if [ -z "$copied" ] && find_crew; then copied=0; fi
    case $copied in
      0) ;;
      153) limit_hit="\"$stream\"" ;;
      *)
        copier="\"$stream\"" copier_code=${copied:-null}
        [ "$copied" != 1 ] || why_no_write
        ;;
    esac
  done
  [ ! -e ".job.$n" ] || limit_hit='"job"'
  [ ! -e ".time.$n" ] || limit_hit='"time"'
}

# The copier's own words may have found no room either: 28 and 122 are ENOSPC and EDQUOT.
why_no_write() {
  case $( { head -c 65536 /dev/zero >".probe.$n"; } 2>&1 ) in
    *[Nn]o\ space*) copier_code=28 ;;
    *[Qq]uota*) copier_code=122 ;;
  esac
  rm -f ".probe.$n"
}

# "started" and no code: the shell in the container was killed; then the runtime knows best.
read_code() {
  started=false exit_code=null direct=false
  while read -r word how; do
    case $word in
      started) started=true exit_code=$code ;;
      noshell) ;;
      # one of several: the code before it is that of another
      unstarted) started=false exit_code=null ;;
      '' | *[!0-9]*) ;;
      *) exit_code=$word ;;
    esac
    [ "$how" = direct ] && direct=true
  done <rc
}

# Of a task of several commands: what each came to.
read_steps() {
  steps=''
  [ -s rc.steps ] || return
  while read -r line; do steps="$steps,$line"; done <rc.steps
  steps=",\"steps\":[${steps#,}]"
}

# In hexadecimal: any byte passes through the record. Both ends: pages of usage may follow the reason.
tail_of_log() {
  # shellcheck disable=SC2046 # one word a byte
  set -- $({ head -c 1000 runtime.log; tail -c +1001 runtime.log | tail -c 1000; } | od -An -v -tx1)
  log=$*
}

count_oom_kills() {
  oom_kills=0 group='' old_group=''
  while IFS=: read -r _ controllers path; do
    case $controllers in '') group=$path ;; memory) old_group=$path ;; esac
  done </proc/self/cgroup
  # the last: a container that sees its group at the top
  for counts in "/sys/fs/cgroup$group/memory.events" "/sys/fs/cgroup/memory$old_group/memory.oom_control" \
    /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$counts" ] || continue
    while read -r word count; do [ "$word" != oom_kill ] || oom_kills=$count; done <"$counts"
    return
  done
} 2>/dev/null

# 137: ended by KILL
lacked_memory() {
  [ "$exit_code" = 137 ] || return 1
  kills_before=$oom_kills
  count_oom_kills
  [ "$oom_kills" -gt "$kills_before" ]
}

begin_usage() {
  child_time
  read_clock
  began_at=$now user_before=$child_user system_before=$child_system
}

end_usage() {
  read_clock
  wall=$((now - began_at))
  child_time
  user=$((child_user - user_before)) system=$((child_system - system_before))
  usage="{\"wall\":$wall,\"user\":$user,\"system\":$system,\"rss\":null}"
}

# Of children of this shell that were waited for.
child_time() {
  child_user=0 child_system=0
  stat_of "$me" || return
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  child_user=${14} child_system=${15}
}

supervise() {
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
    [ -n "$began" ] || printf 'started\n%s direct\n' "$code" 1<>rc
  fi
  end_usage
  exec 3>&- 4>&-
  [ -z "$watcher" ] || kill -TERM "$watcher" 2>/dev/null
  end_attempt
}

main() {
  n=$1 token=$2 cap=$3 limit=$4 outputs=${5:-0} how=${6:-}
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
