/**
 * A batch: attempts that one job of a scheduler runs, in a directory of its own beside those of the attempts.
 *
 *   .jobs/<batch>/  map  a line for each attempt: TOKEN OUTPUT_LIMIT_BYTES TIME_LIMIT_MS HAS_OUTPUTS
 *                   job.sh  what the scheduler runs      command  the line that submitted it
 *                   id   what the scheduler called it    log-*    its own log, apart from the streams
 *   pilot  is there when the job runs all of them, one after the other
 *   <T>/job         "<batch> <index>", written before it is submitted
 *
 * A job runs the line of its index, or as a pilot all lines one after the other. Each attempt starts through its
 * ticket, so that a job that was submitted twice, or is run again by the scheduler, starts nothing twice.
 */
import type { AttemptToken } from '../domain/task.ts';
import { attemptsDir, safeName } from './layout.ts';
import { quote } from './quote.ts';

export interface JobTask {
  token: AttemptToken;
  /** 0: no cap. */
  outputLimitBytes: number;
  /** 0: no limit. */
  timeLimitMs: number;
  hasOutputs: boolean;
}

export interface BatchPlace {
  root: string;
  daemonId: string;
  batch: string;
}

export interface Batch extends BatchPlace {
  tasks: readonly JobTask[];
  /** One job runs all, each when the one before has ended. */
  pilot: boolean;
  /** Of a pilot: what does not fit into what is left of it is left to another. */
  walltimeMs?: number | undefined;
}

/** Where the scheduler says what job it is: shell lines that set id, restart and index from its variables. */
export interface JobVariables {
  id: string;
  restart: string;
  index: string;
}

/** Gives the directory of a batch. */
export function batchDir(place: BatchPlace): string {
  return `${attemptsDir(place)}/.jobs/${safeName(place.batch)}`;
}

/** Gives the file `map`. */
export function mapText({ tasks }: Pick<Batch, 'tasks'>): string {
  return tasks
    .map(
      ({ token, outputLimitBytes, timeLimitMs, hasOutputs }) =>
        `${safeName(token)} ${outputLimitBytes} ${timeLimitMs} ${hasOutputs ? 1 : 0}\n`,
    )
    .join('');
}

/** Gives job.sh of a batch. */
export function jobScript(batch: Batch, variables: JobVariables): string {
  return [
    '#!/bin/sh',
    `# Towline job, format 1: batch ${safeName(batch.batch)}. Each attempt starts through its ticket, which exists once.`,
    RUN_ATTEMPT,
    batch.pilot ? RUN_PILOT : RUN_ONE,
    mainText(batch, variables),
    'main',
    '',
  ].join('\n');
}

/** The scheduler's TERM goes to all of a job; what writes down the end of an attempt hears it and goes on. */
function mainText(batch: Batch, { id, restart, index }: JobVariables): string {
  const own = batch.pilot
    ? `over='' walltime=${Math.floor((batch.walltimeMs ?? 0) / 10)}`
    : `index=${index}`;
  return `main() {
  umask 077
  code=0 ${own}
  trap '${batch.pilot ? 'over=1' : ':'}' TERM
  id=${id} restart=${restart}
  n=$id.$restart
  tasks=${quote(attemptsDir(batch))}
  map=${quote(`${batchDir(batch)}/map`)}
  # another machine wrote it a moment ago; where it ran before it has been cleaned away
  [ "$restart" -ne 0 ] || await_seen "$map"
  [ -e "$map" ] || exit 0
  run_lines 9<"$map"
  exit "$code"
}`;
}

const RUN_ATTEMPT = `await_seen() {
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
  record=\${record#*'"code":'}
  record=\${record%%,*}
  case $record in '' | *[!0-9]*) code=125 ;; *) code=$record ;; esac
}`;

const RUN_ONE = `run_lines() {
  at=0
  while read -r token cap limit outputs <&9; do
    if [ "$at" -eq "$index" ]; then
      run_attempt "$token" "$cap" "$limit" "$outputs" </dev/null 9<&-
      return
    fi
    at=$((at + 1))
  done
}`;

/**
 * One attempt of a pilot is ended without the others: whoever cancels it leaves `stop` in its directory. A
 * code of one is not that of the job.
 */
const RUN_PILOT = `uptime_now() {
  read -r now _ </proc/uptime
  now=\${now%.*}00
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
}`;
