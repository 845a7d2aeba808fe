#!/bin/sh
# Towline task script, format 1: attempt k3f9a2.1. Starts the container; "sh run.sh" works by hand.
# shellcheck disable=SC2016,SC1003 # words for the container are not for this shell to expand
mode=$1
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' || exit 125
{ true >&3; } 2>/dev/null || exec 3>&1
{ true >&4; } 2>/dev/null || exec 4>&2
{ true >&5; } 2>/dev/null || exec 5>/dev/null
[ -z "${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"
rc=rc
[ -n "${TOWLINE_ATTEMPT-}" ] || { rc=.rc.hand; true >"$rc"; exec 5<>"$rc"; }
count() {
  started=0 last=''
  while read -r word _; do
    case $word in
      started) started=$((started + 1)) last='' ;;
      '' | noshell) ;;
      *) last=$word ;;
    esac
  done <"$rc"
}
lacks_shell() {
  case $(tail -n "+$((said + 1))" runtime.log) in
    */bin/sh*'no such file'*) ;;
    *) false ;;
  esac
}
run_step() {
  count
  before=$started said=$(wc -l <runtime.log) from=$(date +%s) mode=''
  (step "$1")
  code=$?
  count
  if [ "$started" -eq "$before" ] && lacks_shell; then
    mode=direct
    (step "$1")
    code=$?
    [ "$code" -eq 126 ] || printf 'started\n%s direct\n' "$code" >&5
    count
  fi
  if [ "$started" -eq "$before" ]; then
    echo unstarted >&5
    exit "$code"
  fi
  [ -z "$last" ] || code=$last
  # what is in the pipes reaches the files
  sleep 0.1 2>/dev/null
  printf '{"code":%s,"from":%s,"to":%s,"out":%s,"err":%s}\n' "$code" "$from" "$(date +%s)" \
    "$(stat -c %s stdout || echo 0)" "$(stat -c %s stderr || echo 0)" >>"$rc.steps"
  [ "$code" -eq 0 ] || [ "$2" -eq 1 ] || exit "$code"
}
step_1() {
export APPTAINERENV_A='b'
export APPTAINERENV_TOWLINE_CRLF='export HOME='\''/data/home'\'''
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/data/w' \
  --containall --cleanenv --no-eval \
  --home '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/home:/mnt/task/home' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/work,dst=/mnt/task/work' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/tmp,dst=/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/vartmp,dst=/var/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/volumes/0,dst=/data' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/inputs,dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,src=/data,dst=/data,ro' \
  '--nv' \
  '/home/alice/.towline/images/mini.sif'
if [ "$mode" = direct ]; then
  echo noshell >&5; exit 126
fi
exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" /bin/sh -c 'TOWLINE_CR=$(printf "\r"); eval "$TOWLINE_CRLF"; unset TOWLINE_CRLF TOWLINE_CR; show() { [ -f "$1" ] || return 0; if [ "$(wc -c <"$1")" -le 65536 ]; then cat "$1"; else head -c 32768 "$1"; echo; echo "[...]"; tail -c 32768 "$1"; fi; }; echo started >&5; trap : HUP INT TERM; (exec "$@") 2>&4 <'\''/data/it'\''\'\'''\''s'\'' >'\''/data/out'\'' 2>'\''/data/err'\'' 3>&- 4>&- 5>&-; c=$?; show '\''/data/out'\'' >&3 2>/dev/null; show '\''/data/err'\'' >&4 2>/dev/null; echo "$c" >&5; exit "$c"' sh 'sh' '-c' 'echo out; echo err >&2; exit 42'
}
step_2() {
export APPTAINERENV_B='c'
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/mnt/task/work' \
  --containall --cleanenv --no-eval \
  --home '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/home:/mnt/task/home' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/work,dst=/mnt/task/work' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/tmp,dst=/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/vartmp,dst=/var/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/volumes/0,dst=/data' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/inputs,dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,src=/data,dst=/data,ro' \
  '--nv' \
  '/images/other.sif'
if [ "$mode" = direct ]; then
  echo noshell >&5; exit 126
fi
exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" /bin/sh -c 'show() { [ -f "$1" ] || return 0; if [ "$(wc -c <"$1")" -le 65536 ]; then cat "$1"; else head -c 32768 "$1"; echo; echo "[...]"; tail -c 32768 "$1"; fi; }; echo started >&5; trap : HUP INT TERM; (exec "$@") 2>&4 >'\''/data/all'\'' 2>&1 3>&- 4>&- 5>&-; c=$?; show '\''/data/all'\'' >&3 2>/dev/null; echo "$c" >&5; exit "$c"' sh 'cat' '$x'
}
step() {
  case $1 in
    1) step_1 ;;
    2) step_2 ;;
  esac
}
run_step 1 1
run_step 2 0
[ "$code" -eq 0 ] || echo 0 >&5
exit 0
