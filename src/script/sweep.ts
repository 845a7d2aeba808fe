/** What can still be said of an attempt whose supervisor is gone: who of it lives, and what its leader left. */
import { z } from 'zod';
import type { SupervisorRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import { safeName } from './layout.ts';
import { FIND_MARKED, SESSION_OF_LEADER, STAT_OF } from './process-text.ts';
import { quote } from './quote.ts';
import { parseExitRecord, type SalvagedExit } from './records.ts';
import { onlyLine, parseValue, replyInvalid } from './reply.ts';

export interface Survivors {
  /** True: this is another machine than the one asked for, whose processes cannot be seen here. */
  elsewhere?: true | undefined;
  /** Processes of the payload: by the token in their environment, or in the leader's session. */
  payload: number[];
  /** Supervisor, watcher and copiers. */
  crew: number[];
}

/** The machine on which an attempt was started. */
type Place = Pick<SupervisorRecord, 'machineId' | 'hostname'>;

/** Gives the text that looks for living processes of an attempt on this host, if it is the machine named. */
export function survivorsText(query: { dir: string; token: AttemptToken; on?: Place }): string {
  const token = safeName(query.token);
  return [
    STAT_OF,
    FIND_MARKED,
    SESSION_OF_LEADER,
    ...(query.on === undefined ? [] : [samePlace(query.on)]),
    `cd ${quote(query.dir)} || { echo '@ failed no-directory'; exit 0; }`,
    'session_of_leader',
    `find_marked TOWLINE_ATTEMPT=${token}`,
    'payload=$pids',
    "sid=''",
    `find_marked TOWLINE_SUPERVISOR=${token}`,
    'echo "@ survivors$payload /$pids"',
  ].join('\n');
}

/** A name may lead to several machines that share the root: the link may be to another one by now. */
function samePlace({ machineId, hostname }: Place): string {
  return [
    "machine='' host=''",
    '[ -r /etc/machine-id ] && read -r machine </etc/machine-id',
    'read -r host </proc/sys/kernel/hostname',
    `[ "$machine $host" = ${quote(`${machineId} ${hostname}`)} ] || { echo '@ elsewhere'; exit 0; }`,
  ].join('\n');
}

const pidsSchema = z.array(z.coerce.number().int().positive());

/** Reads who lives. @throws HOST_REPLY_INVALID. */
export function parseSurvivors(output: string): Survivors {
  const { verb, rest, noise } = onlyLine('survivors', output);
  if (verb === 'elsewhere') return { elsewhere: true, payload: [], crew: [] };
  const [payload, crew] = rest.split('/');
  if (verb !== 'survivors' || crew === undefined)
    throw replyInvalid('survivors', `unknown word ${verb}`, noise);
  const pids = (text: string | undefined) =>
    parseValue(
      pidsSchema,
      (text ?? '').split(' ').filter((word) => word !== ''),
      'survivors',
    );
  return { payload: pids(payload), crew: pids(crew) };
}

const SALVAGE = `code='' record=''
if [ -s rc ]; then
  while read -r word _; do
    case $word in
      '' | *[!0-9]*) ;;
      *) code=$word ;;
    esac
  done <rc
fi
limit='' copier=''
[ -e ".time.$n" ] && limit='time'
for stream in stdout stderr; do
  copied=0
  # no code in it: nothing lives any more, so the copier's shell was killed too
  [ -s ".copied.$stream.$n" ] && read -r copied <".copied.$stream.$n"
  case $copied in
    0) ;;
    153) limit=\${limit:-$stream} ;;
    *) copier=$stream ;;
  esac
done
[ -r ".exit.$n" ] && IFS= read -r record <".exit.$n"
# shellcheck disable=SC2046 # six numbers
set -- $(stat -c '%s %Y' stdout stderr rc 2>/dev/null)
echo "@ left \${code:--} \${copier:--} \${limit:--} \${1:-0} \${3:-0} \${6:-0} $record"`;

/** Gives the text that reads what a dead supervisor's attempt left behind. For use when nothing of it lives. */
export function salvageText(query: { dir: string; nonce: string }): string {
  return [
    `n=${quote(safeName(query.nonce))}`,
    `cd ${quote(query.dir)} || { echo '@ failed no-directory'; exit 0; }`,
    SALVAGE,
  ].join('\n');
}

const leftSchema = z.object({
  code: z.coerce.number().int().min(0).max(255),
  limit: z.enum(['time', 'stdout', 'stderr']).nullable(),
  copier: z.enum(['stdout', 'stderr']).nullable(),
  stdoutBytes: z.coerce.number().int().nonnegative(),
  stderrBytes: z.coerce.number().int().nonnegative(),
  at: z.coerce.number().int().nonnegative(),
});

/**
 * Gives an exit record made from what was left, marked as salvaged: the record the supervisor had
 * finished but not yet named, or the command's own code, with the copier that was killed as well. Undefined: the
 * command left no code.
 * @throws HOST_REPLY_INVALID.
 */
export function parseSalvage(output: string): SalvagedExit | undefined {
  const { verb, rest, noise } = onlyLine('salvage', output);
  if (verb !== 'left') throw replyInvalid('salvage', `unknown word ${verb} ${rest}`, noise);
  const [code, copier, limit, out, err, at, ...record] = rest.split(' ');
  const finished = record.join(' ').trim();
  if (finished !== '') return { ...parseExitRecord(finished), salvaged: true };
  if (code === '-') return undefined;
  const left = parseValue(
    leftSchema,
    { code, limit: named(limit), copier: named(copier), stdoutBytes: out, stderrBytes: err, at },
    'salvage',
  );
  return {
    code: left.code,
    runtimeCode: left.code,
    limit: left.limit ?? undefined,
    copier: left.copier ?? undefined,
    stdoutBytes: left.stdoutBytes,
    stderrBytes: left.stderrBytes,
    finishedAt: left.at * 1000,
    salvaged: true,
  };
}

function named(word: string | undefined): string | undefined | null {
  return word === '-' ? null : word;
}
