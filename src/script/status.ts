/**
 * Where all running attempts of a host stand, in one run with one fork for some hundred of them (`stat`,
 * for the sizes of their streams). Files decide; what cannot be seen is said to be unseen, never to be gone.
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
  elif [ "$4" -gt 0 ] && stat_of "$4" && [ "$state" != Z ] && [ "$state" != X ]; then
    echo "@ alive $i $start"
  fi
}`;

const HOST = `machine=''
read -r boot </proc/sys/kernel/random/boot_id
read -r host </proc/sys/kernel/hostname
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
echo "@ host $boot \${machine:--} $host"`;

/** Gives the text that asks where attempts stand. */
export function statusText(attempts: readonly AttemptQuery[]): string {
  const looks = attempts.map(({ dir, nonce, pid }, index) => {
    const root = dir.split('/').slice(0, -3).join('/');
    return `look ${index} ${quote(dir)} ${quote(nonce)} ${pid} ${quote(root)}`;
  });
  const streams = attempts.flatMap(({ dir }) => [`${dir}/stdout`, `${dir}/stderr`]);
  // After the records: a stream is then at least as long as its record says.
  const sizes = batches(streams).map(
    (part) => `stat -c '@ size %s %n' ${quoteAll(part)} 2>/dev/null`,
  );
  return [STAT_OF, LOOK, HOST, ...grouped(looks), ...sizes, ':'].join('\n');
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
    else takeFact(facts, line);
  }
  for (const [index, { dir }] of attempts.entries()) {
    const fact = facts[index];
    if (fact === undefined) continue;
    fact.stdoutBytes = sizes.get(`${dir}/stdout`);
    fact.stderrBytes = sizes.get(`${dir}/stderr`);
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
