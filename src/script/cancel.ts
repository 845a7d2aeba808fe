/**
 * Ending an attempt. It consumes the same ticket as the launch, so that cancelled work can never
 * start; what has started is ended by a detached killer that stops only when a sweep finds nothing left.
 */
import { z } from 'zod';
import type { AppError } from '../domain/failure.ts';
import { type AttemptPlace, attemptsDir, ROOT_MARKER, safeName } from './layout.ts';
import { TELL_JOB, takeNotedJob } from './noted-job.ts';
import {
  FIND_MARKED,
  IS_ALIVE,
  NAP,
  READ_CLOCK,
  SESSION_OF_LEADER,
  STAT_OF,
  STOP_PAYLOAD,
} from './process-text.ts';
import { quote } from './quote.ts';
import { onlyLine, parseValue, replyInvalid, stepFailed } from './reply.ts';

export interface CancelPlan extends AttemptPlace {
  nonce: string;
  /** From TERM to KILL. */
  graceMs: number;
  mvNoTarget: boolean;
  /** A job runs it, or is to: it is ended through the scheduler, or, of a pilot, by a mark. */
  asJob?: boolean | undefined;
}

export type CancelReply =
  /** It never started and never will. */
  | { kind: 'cancelled-before-start' }
  /** It had ended by itself; its exit record stands. */
  | { kind: 'ended' }
  /** A killer is at work; `killed.<n>` appears when nothing is left. */
  | { kind: 'killing' }
  /** A killer has been here and found nothing left. */
  | { kind: 'killed' }
  /** The host was booted since: nothing of it can live. */
  | { kind: 'rebooted' }
  /** It runs on another machine that shares this file system. */
  | { kind: 'elsewhere'; hostname: string }
  /** A job runs it. */
  | { kind: 'in-job' }
  | { kind: 'failed'; error: AppError };

/** Text of the killer: NONCE TOKEN GRACE_HUNDREDTHS. Ends the payload, then waits for the supervisor to write its record; one that does not is ended too. */
export const KILLER = [
  STAT_OF,
  FIND_MARKED,
  SESSION_OF_LEADER,
  READ_CLOCK,
  NAP,
  STOP_PAYLOAD,
  `main() {
  n=$1 token=$2 grace=$3
  read_clock
  patience=$((now + grace + 1500)) looks=0
  while [ "$looks" -lt 2 ]; do
    stop_payload "$grace"
    sid=''
    find_marked "TOWLINE_SUPERVISOR=$token"
    read_clock
    # shellcheck disable=SC2086 # pids, to be split
    if [ -z "$pids" ]; then
      looks=$((looks + 1))
    else
      looks=0
      [ "$now" -lt "$patience" ] || kill -KILL $pids 2>/dev/null
    fi
    nap
  done
  true >"killed.$n"
}
main "$@"`,
].join('\n');

/** Whoever runs a pilot looks for the mark; the scheduler ends other jobs. */
const ASK_JOB = `true >stop
echo '@ in-job'`;

const CANCEL = `cancelled() {
  for seen in cancelled.*; do [ -e "$seen" ] && ended cancelled-before-start; done
}
# Reads the record of whoever started it.
started_by() {
  record=''
  for go in go.*; do
    [ -r "sup.\${go#go.}.json" ] && read -r record <"sup.\${go#go.}.json" && return
  done
}
field() {
  value=\${record#*"\\"$1\\":\\""}
  value=\${value%%\\"*}
}
# Another boot or machine: a pid written down there says nothing here.
check_place() {
  machine=''
  read -r boot </proc/sys/kernel/random/boot_id
  [ -r /etc/machine-id ] && read -r machine </etc/machine-id
  read -r host </proc/sys/kernel/hostname
  field machine
  [ "$value" = "$machine" ] || { field hostname; ended "elsewhere $value"; }
  field hostname
  [ "$value" = "$host" ] || ended "elsewhere $value"
  field boot
  [ "$value" = "$boot" ] || { true >"killed.$n"; ended rebooted; }
}
# No room for a grave: a mark takes no block, and a supervisor looks for it when it has the ticket.
bury() {
  if ! { mkdir -p .ended && true >".ended/$T"; }; then ended 'failed no-grave'; fi
  [ -d "$T" ] || ended cancelled-before-start
}
killer_lives() {
  [ -s killer ] || return 1
  read -r killer_pid since <killer
  is_alive "$killer_pid" "$since"
}`;

/** Gives the text that cancels an attempt; it may be run any number of times. */
export function cancelText(plan: CancelPlan): string {
  const token = safeName(plan.token);
  const nonce = safeName(plan.nonce);
  const grave = quote(`.${token}.${nonce}.grave`);
  return [
    '# shellcheck disable=SC2016 # the killer is a text of its own',
    'ended() {',
    '  echo "@ $1"',
    '  exit 0',
    '}',
    STAT_OF,
    IS_ALIVE,
    CANCEL,
    `T=${quote(token)} n=${quote(nonce)} dir=${quote(attemptsDir(plan))}`,
    `[ -r ${quote(`${plan.root}/${ROOT_MARKER}`)} ] || ended 'failed no-root'`,
    '[ -d "$dir" ] || mkdir -p "$dir" || ended "failed no-directory"',
    'cd "$dir" || ended "failed no-directory"',
    '[ ! -e ".ended/$T" ] || [ -d "$T" ] || ended cancelled-before-start',
    'if ! [ -d "$T" ]; then',
    // complete before it gets its name: a late launch could take the place of an empty directory
    `  if ! { mkdir ${grave} && true >${grave}/"cancelled.$n"; }; then rm -rf ${grave}; bury; fi`,
    `  mv ${plan.mvNoTarget ? '-T ' : ''}${grave} "$T" 2>/dev/null`,
    `  rm -rf ${grave} "\${T:?}"/${grave}`,
    'fi',
    'cd "$T" || ended "failed no-directory"',
    'mv ticket "cancelled.$n" 2>/dev/null',
    ...(plan.asJob === true ? [TELL_JOB, 'tell_job'] : []),
    'cancelled',
    '[ ! -e exit.json ] || ended ended',
    'for seen in killed.*; do [ -e "$seen" ] && ended killed; done',
    ...(plan.asJob === true ? [ASK_JOB] : killerLines(plan)),
  ].join('\n');
}

/** What has started here is ended here. */
function killerLines({ graceMs }: CancelPlan): string[] {
  return [
    'started_by',
    '[ -z "$record" ] || check_place',
    'killer_lives && ended killing',
    `setsid sh -c ${quote(KILLER)} towline-killer "$n" "$T" ${Math.ceil(graceMs / 10)} </dev/null >/dev/null 2>&1 &`,
    'killer_pid=$!',
    'stat_of "$killer_pid" && echo "$killer_pid $start" >killer',
    "echo '@ killing'",
  ];
}

const hostnameSchema = z.string().min(1);

/** Reads the reply of a cancel. @throws HOST_REPLY_INVALID. */
export function parseCancel(output: string): CancelReply {
  const { verb, rest, noise } = onlyLine('cancel', takeNotedJob(output).rest);
  switch (verb) {
    case 'cancelled-before-start':
    case 'ended':
    case 'killing':
    case 'killed':
    case 'rebooted':
    case 'in-job':
      return { kind: verb };
    case 'elsewhere':
      return { kind: 'elsewhere', hostname: parseValue(hostnameSchema, rest, 'cancel') };
    case 'failed':
      return { kind: 'failed', error: stepFailed('cancel', rest, noise) };
    default:
      throw replyInvalid('cancel', `unknown word ${JSON.stringify(verb)}`, noise);
  }
}
