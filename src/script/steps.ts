/**
 * run.sh of a task of several commands: each runs in a container of its own, one after the other, in the one attempt and
 * with the same volumes. They share the record `rc`; what each came to is a line of `rc.steps`, which goes into the exit record.
 */
import type { ScriptPlan } from './task-script.ts';

export interface StepLines {
  /** They end in `exec`. */
  lines: string[];
  /** The next one runs whatever its code. */
  goOn: boolean;
}

/** Gives the lines that run the steps in order. */
export function stepsLines(steps: readonly StepLines[]): string[] {
  return [
    'rc=rc',
    // by hand there is nobody who looks at the record
    '[ -n "${TOWLINE_ATTEMPT-}" ] || { rc=.rc.hand; true >"$rc"; exec 5<>"$rc"; }',
    COUNT,
    RUN_STEP,
    ...steps.flatMap(({ lines }, index) => [`step_${index + 1}() {`, ...lines, '}']),
    'step() {',
    '  case $1 in',
    ...steps.map((_, index) => `    ${index + 1}) step_${index + 1} ;;`),
    '  esac',
    '}',
    ...steps.map(({ goOn }, index) => `run_step ${index + 1} ${goOn ? 1 : 0}`),
    // a code that was passed over is not that of the task
    '[ "$code" -eq 0 ] || echo 0 >&5',
    'exit 0',
  ];
}

/** Gives the plan of each step, the first included. */
export function stepPlans(plan: ScriptPlan): ScriptPlan[] {
  const { then = [], ...first } = plan;
  return [first, ...then.map((step) => ({ ...first, ...step, later: true }))];
}

/** Every container writes "started" when its command begins, and the code at its end. */
const COUNT = `count() {
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
}`;

const RUN_STEP = `run_step() {
  count
  before=$started said=$(wc -l <runtime.log) from=$(date +%s) mode=''
  (step "$1")
  code=$?
  count
  if [ "$started" -eq "$before" ] && lacks_shell; then
    mode=direct
    (step "$1")
    code=$?
    [ "$code" -eq 126 ] || printf 'started\\n%s direct\\n' "$code" >&5
    count
  fi
  if [ "$started" -eq "$before" ]; then
    echo unstarted >&5
    exit "$code"
  fi
  [ -z "$last" ] || code=$last
  # what is in the pipes reaches the files
  sleep 0.1 2>/dev/null
  printf '{"code":%s,"from":%s,"to":%s,"out":%s,"err":%s}\\n' "$code" "$from" "$(date +%s)" \\
    "$(stat -c %s stdout || echo 0)" "$(stat -c %s stderr || echo 0)" >>"$rc.steps"
  [ "$code" -eq 0 ] || [ "$2" -eq 1 ] || exit "$code"
}`;
