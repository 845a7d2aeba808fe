#!/bin/sh
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
  # what the scheduler shows is the command's own code
  IFS= read -r record <exit.json
  record=${record#*'"code":'}
  record=${record%%,*}
  case $record in '' | *[!0-9]*) code=125 ;; *) code=$record ;; esac
}
run_lines() {
  at=0
  while read -r token cap limit outputs <&9; do
    if [ "$at" -eq "$index" ]; then
      run_attempt "$token" "$cap" "$limit" "$outputs" </dev/null 9<&-
      return
    fi
    at=$((at + 1))
  done
}
main() {
  umask 077
  code=0 index=${SLURM_ARRAY_TASK_ID:-0}
  trap ':' TERM
  id=${SLURM_JOB_ID:-0} restart=${SLURM_RESTART_COUNT:-0}
  n=$id.$restart
  tasks='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'
  map='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/.jobs/b1/map'
  # another machine wrote it a moment ago; where it ran before it has been cleaned away
  [ "$restart" -ne 0 ] || await_seen "$map"
  [ -e "$map" ] || exit 0
  run_lines 9<"$map"
  exit "$code"
}
main
