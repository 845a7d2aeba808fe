# shellcheck shell=bash
# Sourced: named stages with their durations, and failures that say what to do next.
#
#   stage "docker engine"        prints "== docker engine"
#   note "installing docker.io"  prints a line below it
#   ready                        prints "== docker engine: ready (12.3 s)"
#   die WHAT NEXT                prints both and exits 1

STAGE_NAME=
STAGE_BEGAN=

# seconds since START (an EPOCHREALTIME) with one decimal, without starting a process
seconds_since() {
  local began=${1/[.,]/} now=${EPOCHREALTIME/[.,]/} tenths
  tenths=$(((now - began + 50000) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

stage() {
  STAGE_NAME=$1
  STAGE_BEGAN=$EPOCHREALTIME
  printf '== %s\n' "$STAGE_NAME"
}

note() { printf '   %s\n' "$*"; }

ready() {
  printf '== %s: %s (%s s)\n' "$STAGE_NAME" "${1:-ready}" "$(seconds_since "$STAGE_BEGAN")"
  STAGE_NAME=
}

die() {
  local what=$1 next=${2:-}
  printf '%s: %s\n' "${STAGE_NAME:-${0##*/}}" "$what" >&2
  if [ -n "$next" ]; then printf '  next: %s\n' "$next" >&2; fi
  exit 1
}

# quietly LOG NEXT COMMAND…: the output goes to LOG; when the command fails, its end is shown with the next step
quietly() {
  local log=$1 next=$2 status=0
  shift 2
  "$@" >>"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 20 "$log" | sed 's/^/   | /' >&2
    die "'$1' ended with status $status; the whole output is in $log" "$next"
  fi
}

# until_true SECONDS COMMAND…: asks every fifth of a second whether a condition holds, for a bounded time
until_true() {
  local limit=$1 began=$SECONDS
  shift
  until "$@"; do
    if [ $((SECONDS - began)) -ge "$limit" ]; then return 1; fi
    sleep 0.2
  done
}

# usage_of SCRIPT: the comment that it begins with
usage_of() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"; }
