# shellcheck disable=SC2016,SC1003 # words of a job are not for this shell to expand
limited() {
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}
hex_of() {
  # shellcheck disable=SC2046 # one word a byte
  set -- $(tail -c 2000 "$1" 2>/dev/null | od -An -v -tx1)
  echo "$*"
}
eval 'module load slurm; echo '\''loud'\''' >/dev/null 2>&1 </dev/null
fail() {
  rm -rf '.jobs/.b1.n1'
  echo "@ failed $1"
  exit 0
}
if ! cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' || ! [ -r '/home/alice/.towline/towline-root.json' ]; then fail no-root; fi
umask 077
mkdir -p '.jobs/.b1.n1' || fail no-directory
printf %s 'k3f9a2.1 1024 60000 1
' >'.jobs/.b1.n1/map' || fail no-file
printf %s '#!/bin/sh
# Towline job, format 1: batch b1. Each attempt starts through its ticket, which exists once.
await_seen() {
  looks=0
  until [ -e "$1" ] || [ "$looks" -ge 60 ]; do
    sleep 1
    looks=$((looks + 1))
  done
}

# TOKEN OUTPUT_LIMIT_BYTES TIME_LIMIT_MS HAS_OUTPUTS
run_attempt() {
  [ -e "$tasks/.ended/$1" ] || [ "$restart" -ne 0 ] || await_seen "$tasks/$1/spec.json"
  cd "$tasks/$1" 2>/dev/null || return
  if ! [ -e ticket ]; then
    # it ran before: the scheduler runs the same job again
    [ "$restart" -eq 0 ] || true >"requeued.$n"
    return
  fi
  TOWLINE_SUPERVISOR=$1 sh ./sup.sh "$n" "$1" "$2" "$3" "$4" job
  [ -e "go.$n" ] && [ -e exit.json ] || return
  # what the scheduler shows is the command'\''s own code
  IFS= read -r record <exit.json
  record=${record#*'\''"code":'\''}
  record=${record%%,*}
  case $record in '\'''\'' | *[!0-9]*) code=125 ;; *) code=$record ;; esac
}
uptime_now() {
  read -r now _ </proc/uptime
  now=${now%.*}00
}

# True while LIMIT_MS fits into what is left; without a walltime or a limit it does.
fits() {
  [ "$walltime" -gt 0 ] || return 0
  uptime_now
  left=$((walltime - now + began))
  [ "$left" -gt 0 ] && [ "$((($1 + 9) / 10))" -le "$left" ]
}

# Ends the supervisor of an attempt that somebody cancels. It goes by itself: a signal in its first moment would be lost.
watch_stop() {
  cd "$tasks/$1" 2>/dev/null || return
  while [ -e ticket ] || { [ -e "go.$n" ] && ! [ -e exit.json ]; }; do
    if [ -e stop ] && [ -s ".sup.$n" ]; then
      read -r supervisor _ <".sup.$n"
      kill -TERM "$supervisor" 2>/dev/null
      return
    fi
    kill -0 "$$" 2>/dev/null || return
    sleep 2
  done
}

run_lines() {
  uptime_now
  began=$now
  while [ -z "$over" ] && read -r token cap limit outputs <&9; do
    fits "$limit" || continue
    watch_stop "$token" </dev/null >/dev/null 2>&1 9<&- &
    run_attempt "$token" "$cap" "$limit" "$outputs" </dev/null 9<&-
    code=0
  done
}
main() {
  umask 077
  code=0 over='\'''\'' walltime=360000
  trap '\''over=1'\'' TERM
  id=${SLURM_JOB_ID:-0} restart=${SLURM_RESTART_COUNT:-0}
  n=$id.$restart
  tasks='\''/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'\''
  map='\''/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/.jobs/b1/map'\''
  # another machine wrote it a moment ago; where it ran before it has been cleaned away
  [ "$restart" -ne 0 ] || await_seen "$map"
  [ -e "$map" ] || exit 0
  run_lines 9<"$map"
  exit "$code"
}
main
' >'.jobs/.b1.n1/job.sh' || fail no-file
printf %s 'sbatch '\''--comment=it'\''\'\'''\''s'\'' job.sh
' >'.jobs/.b1.n1/command' || fail no-file
printf %s '' >'.jobs/.b1.n1/pilot' || fail no-file
{ sync '.jobs/.b1.n1'/* '.jobs/.b1.n1' || sync; } 2>/dev/null
mv '.jobs/.b1.n1' .jobs/b1 || fail no-directory
at=0
note() {
  for T; do
    if [ -d "$T" ] && printf '%s\n' "b1 $at" >"$T/.job"; then mv "$T/.job" "$T/job"; fi
    at=$((at + 1))
  done
}
note k3f9a2.1
cd .jobs/b1 || fail no-directory
unset SBATCH_ARRAY_INX
unset SBATCH_WAIT
unset SBATCH_REQUEUE
unset SBATCH_OPEN_MODE
unset SBATCH_JOB_NAME
unset SBATCH_OUTPUT
unset SBATCH_ERROR
unset SBATCH_HOLD
unset SBATCH_TEST_ONLY
limited 60 'sbatch' '--comment=it'\''s' 'job.sh' </dev/null >out 2>err
code=$?
id=$(sed -n 's/^\([0-9][0-9]*\)\(;[A-Za-z0-9_.-]*\)*$/\1/p' out | tail -n 1)
if [ -n "$id" ]; then printf '%s\n' "$id" >.id && mv .id id; fi
echo "@ submitted $code ${id:--} $(hex_of out) / $(hex_of err)"