/** Part of sup.sh: from the leader's end to the exit record. */

/**
 * `end_attempt`: a child in the background may hold the pipes and must not keep the task running, so
 * the copiers get two seconds, then what is left of the attempt is ended, then both streams are
 * counted. The record goes over the room that the claim reserved and gets its name by a link, which
 * never replaces one.
 */
export const SUPERVISOR_END = `end_attempt() {
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
  out=\${1:-0} err=\${3:-0} at=\${6:-0}
  log=
  [ "$started" = true ] || tail_of_log
  read_steps
  printf '{"format":1,"n":"%s","started":%s,"code":%s,"direct":%s,"runtimeCode":%s,"limit":%s,"copier":%s,"copierCode":%s,"out":%s,"err":%s,"at":%s,"log":"%s","usage":%s%s}\\n' \\
    "$n" "$started" "$exit_code" "$direct" "$code" "$limit_hit" "$copier" "$copier_code" "$out" "$err" "$at" "$log" "$usage" "$steps" 1<>".exit.$n"
  make_durable ".exit.$n" stdout stderr
  ln ".exit.$n" exit.json 2>/dev/null || [ -e exit.json ] || mv ".exit.$n" exit.json
  [ "$outputs" -eq 0 ] || settle_outputs
}

# A loss of power may keep the record and lose what the command wrote just before; the mark says that it is on disk.
settle_outputs() {
  { find work volumes \\( -type f -o -type d \\) -exec sync {} + || sync; } 2>/dev/null
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
      153) limit_hit="\\"$stream\\"" ;;
      *)
        copier="\\"$stream\\"" copier_code=\${copied:-null}
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
    *[Nn]o\\ space*) copier_code=28 ;;
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
  steps=",\\"steps\\":[\${steps#,}]"
}

# In hexadecimal: any byte passes through the record. Both ends: pages of usage may follow the reason.
tail_of_log() {
  # shellcheck disable=SC2046 # one word a byte
  set -- $({ head -c 1000 runtime.log; tail -c +1001 runtime.log | tail -c 1000; } | od -An -v -tx1)
  log=$*
}`;
