/**
 * Where all running attempts of a host stand, in one run with one fork for some hundred of them (`stat`,
 * for the sizes of their streams). Files decide; what cannot be seen is said to be unseen, never to be gone.
 * Of one that was seen running before only a glance is taken, and all of it is told again when that shows a change:
 * with hundreds of them the whole look is some tenths of a second of the host's processor, each two seconds.
 */
import { z } from 'zod';
import type { AppError } from '../domain/failure.ts';
import { batches, grouped } from './batches.ts';
import { ROOT_MARKER } from './layout.ts';
import { STAT_OF } from './process-text.ts';
import { quote, quoteAll } from './quote.ts';
import { type AttemptExit, parseExitRecord } from './records.ts';
import { parseValue, type ReplyLine, replyInvalid, splitReply } from './reply.ts';

export interface AttemptQuery {
  /** The attempt's directory, `<root>/tasks/<daemon>/<T>`. */
  dir: string;
  /** Nonce and pid of the supervisor, when known. */
  nonce: string;
  pid: number;
  /** What a whole look has told of it not long ago, when it ran. */
  before?: AttemptFacts | undefined;
}

export interface HostFactsNow {
  bootId: string;
  /** Empty when the host has none. */
  machineId: string;
  hostname: string;
}

/** What the files of one attempt say. */
export interface AttemptFacts {
  /** unseen: the root or its marker cannot be read just now, so that nothing can be said. */
  directory: 'there' | 'gone' | 'unseen';
  ticket: boolean;
  /** go.<nonce> of the supervisor asked for is there. */
  go: boolean;
  cancelled: boolean;
  /** A cancel has ended it and found nothing left. */
  killed: boolean;
  exit?: AttemptExit | undefined;
  /** exit.json is there and cannot be read. */
  exitError?: AppError | undefined;
  /** Start time of the process that has the supervisor's pid now; absent: there is none. */
  supervisorStart?: string | undefined;
  stdoutBytes?: number | undefined;
  stderrBytes?: number | undefined;
}

export interface StatusReply {
  host: HostFactsNow;
  /** In the order of the query. */
  attempts: AttemptFacts[];
}

const LOOK = `look() {
  i=$1 dir=$2 n=$3 root=$5
  if ! [ -d "$dir" ]; then
    if [ -r "$root/${ROOT_MARKER}" ]; then echo "@ gone $i"; else echo "@ unseen $i"; fi
    return
  fi
  seen=there
  [ -e "$dir/ticket" ] && seen="$seen ticket"
  [ -e "$dir/go.$n" ] && seen="$seen go"
  for file in "$dir"/cancelled.*; do [ -e "$file" ] && seen="$seen cancelled" && break; done
  for file in "$dir"/killed.*; do [ -e "$file" ] && seen="$seen killed" && break; done
  echo "@ seen $i $seen"
  line=''
  if [ -e "$dir/exit.json" ]; then
    IFS= read -r line <"$dir/exit.json"
    echo "@ exit $i $line"
  elif [ "$4" -gt 0 ]; then
    $alive "$i" "$4"
  fi
}
alive=alive_now
alive_now() {
  if stat_of "$2" && [ "$state" != Z ] && [ "$state" != X ]; then echo "@ alive $1 $start"; fi
}`;

/** A shell reads byte by byte, which is three quarters of what looks at hundreds cost; one awk reads them all. */
const ALIVE_OF_MANY = `asked=''
if command -v awk >/dev/null 2>&1; then alive=alive_later; fi
alive_later() {
  asked="$asked $1:$2"
}
# one by one after all where awk does not start: who is not told of would look dead
told_alive() {
  [ -n "$asked" ] || return 0
  # shellcheck disable=SC2086 # pairs of numbers, to be split
  awk 'BEGIN {
    for (n = 1; n < ARGC; n++) {
      split(ARGV[n], pair, ":")
      file = "/proc/" pair[2] "/stat"
      text = ""
      while ((getline line <file) > 0) text = text line
      close(file)
      if (!sub(/.*[)] /, "", text)) continue
      if (split(text, field, " ") >= 20 && field[1] != "Z" && field[1] != "X") print "@ alive " pair[1] " " field[20]
    }
  }' $asked 2>/dev/null || for pair in $asked; do alive_now "\${pair%:*}" "\${pair#*:}"; done
}`;
const MANY = 16;

/**
 * A record, or the end of its supervisor, has the attempt looked at as a whole. A zombie has no `exe`, and neither has a
 * process of somebody else who has its number now; one of our own is met by the next whole look.
 */
const GLANCE = `glance() {
  if [ -e "$base/$2/exit.json" ] || { [ "$4" -gt 0 ] && ! [ -e "/proc/$4/exe" ]; }; then
    look "$1" "$base/$2" "$3" "$4" "\${base%/*/*}"
  else
    same="$same $1"
  fi
}
# many in one write
told_same() {
  echo "@ same$same"
  same=''
}`;

const HOST = `machine=''
read -r boot </proc/sys/kernel/random/boot_id
read -r host </proc/sys/kernel/hostname
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
echo "@ host $boot \${machine:--} $host"`;

/** Gives the text that asks where attempts stand. */
export function statusText(attempts: readonly AttemptQuery[]): string {
  const asked = attempts.map((query, index) => ({ ...query, index }));
  const known = Map.groupBy(
    asked.filter(({ before }) => before !== undefined),
    ({ dir }) => dir.slice(0, dir.lastIndexOf('/')),
  );
  const whole = asked.filter(({ before }) => before === undefined);
  const glances = [...known].flatMap(([base, some]) => glancesAt(base, some));
  const many = whole.length >= MANY;
  return [
    STAT_OF,
    LOOK,
    ...(known.size > 0 ? [GLANCE] : []),
    ...(many ? [ALIVE_OF_MANY] : []),
    HOST,
    ...looksAt(whole),
    ...glances,
    many ? 'told_alive' : ':',
  ].join('\n');
}

type Asked = AttemptQuery & { index: number };

function looksAt(attempts: readonly Asked[]): string[] {
  const looks = attempts.map(({ dir, nonce, pid, index }) => {
    const root = dir.split('/').slice(0, -3).join('/');
    return `look ${index} ${quote(dir)} ${quote(nonce)} ${pid} ${quote(root)}`;
  });
  // After the records: a stream is then at least as long as its record says.
  return [...grouped(looks), ...sizesOf(attempts.map(({ dir }) => dir))];
}

/** Of attempts in one directory, by their names alone: their texts and replies are most of what a quiet host is sent. */
function glancesAt(base: string, attempts: readonly Asked[]): string[] {
  const names = attempts.map(({ dir }) => dir.slice(base.length + 1));
  const glances = attempts.map(
    ({ nonce, pid, index }, at) =>
      `glance ${index} ${quote(names[at] ?? '')} ${quote(nonce)} ${pid}`,
  );
  return [
    `base=${quote(base)} same=''`,
    ...grouped(everyHundred(glances, 'told_same')),
    'if cd "$base" 2>/dev/null; then',
    ...sizesOf(names),
    'fi',
  ];
}

function everyHundred(commands: readonly string[], then: string): string[] {
  return commands.flatMap((command, at) =>
    (at + 1) % 100 === 0 || at + 1 === commands.length ? [command, then] : [command],
  );
}

function sizesOf(dirs: readonly string[]): string[] {
  const streams = dirs.flatMap((dir) => [`${dir}/stdout`, `${dir}/stderr`]);
  return batches(streams).map((part) => `stat -c '@ size %s %n' ${quoteAll(part)} 2>/dev/null`);
}

const hostSchema = z.object({
  bootId: z.string().min(1),
  machineId: z.string(),
  hostname: z.string(),
});
const indexSchema = z.coerce.number().int().nonnegative();
const sizeSchema = z.string().regex(/^\d+$/).transform(Number);

/**
 * Reads the reply to `statusText` of the same attempts.
 * @throws HOST_REPLY_INVALID when the host line or an attempt is missing, or a field does not fit.
 */
export function parseStatus(attempts: readonly AttemptQuery[], output: string): StatusReply {
  const { lines, noise } = splitReply(output);
  const facts: (AttemptFacts | undefined)[] = attempts.map(() => undefined);
  let host: HostFactsNow | undefined;
  const sizes = new Map<string, number>();
  for (const line of lines) {
    if (line.verb === 'host') host = parseHost(line.rest);
    else if (line.verb === 'size') takeSize(sizes, line.rest);
    else if (line.verb === 'same') takeSame(facts, attempts, line.rest);
    else takeFact(facts, line);
  }
  for (const [index, { dir, before }] of attempts.entries()) {
    const fact = facts[index];
    if (fact === undefined) continue;
    const name = before === undefined ? dir : dir.slice(dir.lastIndexOf('/') + 1);
    fact.stdoutBytes = sizes.get(`${name}/stdout`);
    fact.stderrBytes = sizes.get(`${name}/stderr`);
  }
  const missing = facts.findIndex((fact) => fact === undefined);
  if (host === undefined || missing >= 0) {
    throw replyInvalid(
      'status',
      host === undefined ? 'no host line' : `nothing about attempt ${missing}`,
      noise,
    );
  }
  return { host, attempts: facts.filter((fact) => fact !== undefined) };
}

function parseHost(rest: string): HostFactsNow {
  const [bootId, machine, hostname] = rest.split(' ');
  const machineId = machine === '-' ? '' : machine;
  return parseValue(hostSchema, { bootId, machineId, hostname }, 'status');
}

function takeSame(
  facts: (AttemptFacts | undefined)[],
  attempts: readonly AttemptQuery[],
  rest: string,
): void {
  for (const word of rest.split(' ').filter((one) => one !== '')) {
    const index = parseValue(indexSchema, word, 'status');
    const before = attempts[index]?.before;
    if (before === undefined) throw replyInvalid('status', `${index} was not known before`, '');
    facts[index] = { ...before };
  }
}

function takeFact(facts: (AttemptFacts | undefined)[], { verb, rest }: ReplyLine): void {
  const [first = '', ...words] = rest.split(' ');
  const index = parseValue(indexSchema, first, 'status');
  if (index >= facts.length)
    throw replyInvalid('status', `field index: ${index} was not asked for`, '');
  const fact = facts[index];
  if (verb === 'gone' || verb === 'unseen' || verb === 'seen') facts[index] = seenFact(verb, words);
  else if (verb === 'exit' && fact !== undefined) takeExit(fact, rest.slice(first.length + 1));
  else if (verb === 'alive' && fact !== undefined) fact.supervisorStart = words[0];
  else throw replyInvalid('status', `unexpected word ${JSON.stringify(verb)}`, '');
}

function seenFact(verb: 'gone' | 'unseen' | 'seen', words: string[]): AttemptFacts {
  const has = (word: string) => words.includes(word);
  return {
    directory: verb === 'seen' ? 'there' : verb,
    ticket: has('ticket'),
    go: has('go'),
    cancelled: has('cancelled'),
    killed: has('killed'),
  };
}

/** A record torn by a crash of the host is a fact about this attempt, not a broken reply for all. */
function takeExit(fact: AttemptFacts, text: string): void {
  try {
    fact.exit = parseExitRecord(text);
  } catch (error) {
    fact.exitError = error as AppError;
  }
}

/** By path: thousands of attempts answer at once. */
function takeSize(sizes: Map<string, number>, rest: string): void {
  const space = rest.indexOf(' ');
  const bytes = parseValue(sizeSchema, rest.slice(0, space), 'status');
  sizes.set(rest.slice(space + 1), bytes);
}
