/**
 * The content store: staged inputs by content and mode, shared by all tasks, read-only. An object
 * gets its name only after the host itself has hashed it; a name once there is never written again.
 */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { batches } from './batches.ts';
import { safeName } from './layout.ts';
import { quote, quoteAll } from './quote.ts';
import { onlyLine, parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface ObjectPlace {
  root: string;
  daemonId: string;
  sha256: string;
  mode: number;
}

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256');
const sizeSchema = z.string().regex(/^\d+$/).transform(Number);

/** Gives the name of an object in store/. @throws TASK_INVALID on a hash that is none. */
export function objectName(sha256: string, mode: number): string {
  return safeName(`${sha256}-${(mode & 0o777).toString(8).padStart(4, '0')}`);
}

/** Gives the path to upload an object to. It has the daemon's name: two daemons never write one part. */
export function partPath({ root, daemonId, sha256, mode }: ObjectPlace): string {
  return `${root}/store/.part/${objectName(sha256, mode)}.${safeName(daemonId)}`;
}

/** Gives the text that asks which objects are there, and how much of the others an earlier upload left. */
export function haveObjectsText(query: {
  root: string;
  daemonId: string;
  names: readonly string[];
  /** Lines that tell more of the store; this reader passes over what they say. */
  more?: readonly string[];
}): string {
  const { root, daemonId, names, more = [] } = query;
  return [
    `cd ${quote(`${root}/store`)} || { echo '@ failed no-store'; exit 0; }`,
    "tree=''",
    'have() {',
    '  tree="$tree $*"',
    '  # used just now: gc leaves it',
    '  touch -c "$@" 2>/dev/null',
    '  for o; do',
    '    if [ -f "$o" ]; then',
    '      echo "@ have $o"',
    `    elif [ -f ".part/$o."${quote(safeName(daemonId))} ]; then`,
    `      echo "@ part $(wc -c <".part/$o."${quote(daemonId)}) $o"`,
    '    fi',
    '  done',
    '}',
    ...batches(names.map(safeName)).map((part) => `have ${quoteAll(part)}`),
    ...more,
    "echo '@ done'",
  ].join('\n');
}

/** Reads which objects are there. @throws HOST_REPLY_INVALID, HOST_COMMAND_FAILED. */
export function parseHaveObjects(
  output: string,
  query: { host: string; names: readonly string[] },
): { present: Set<string>; partBytes: Map<string, number> } {
  const { lines, noise } = splitReply(output);
  const found = { present: new Set<string>(), partBytes: new Map<string, number>() };
  const asked = new Set(query.names);
  const purpose = `looking for staged inputs on ${query.host}`;
  for (const { verb, rest } of lines) {
    const [bytes = '', name = ''] =
      verb === 'part' ? rest.split(' ').filter((word) => word !== '') : ['', rest];
    if (verb === 'failed') throw stepFailed(purpose, rest, noise);
    if (verb === 'done') return found;
    if (verb !== 'have' && verb !== 'part') continue;
    if (!asked.has(name))
      throw replyInvalid(purpose, `field name: ${name} was not asked for`, noise);
    if (verb === 'have') found.present.add(name);
    else found.partBytes.set(name, parseValue(sizeSchema, bytes, purpose));
  }
  throw replyInvalid(purpose, 'the reply is cut', noise);
}

/** Gives the text that verifies an uploaded part and gives it its name. Run again after it worked, it says the same. */
export function publishObjectText(place: ObjectPlace): string {
  const name = objectName(place.sha256, place.mode);
  const mode = (place.mode & 0o777).toString(8).padStart(4, '0');
  return [
    `cd ${quote(`${place.root}/store`)} || { echo '@ failed no-store'; exit 0; }`,
    `part=${quote(`.part/${name}.${safeName(place.daemonId)}`)} o=${name}`,
    'if [ -f "$o" ]; then rm -f "$part"; echo \'@ published\'; exit 0; fi',
    'read -r sum _ <<E',
    '$(sha256sum <"$part")',
    'E',
    `[ "$sum" = ${place.sha256} ] || { [ ! -e "$part" ] || rm -f "$part"; echo "@ mismatch"; exit 0; }`,
    `chmod ${mode} "$part" || { echo '@ failed chmod'; exit 0; }`,
    '{ sync "$part" 2>/dev/null || sync; } || { echo \'@ failed sync\'; exit 0; }',
    'ln "$part" "$o" 2>/dev/null || [ -f "$o" ] || mv "$part" "$o" || { echo \'@ failed publish\'; exit 0; }',
    'rm -f "$part"',
    "echo '@ published'",
  ].join('\n');
}

/** Gives the text that removes what came of an object: on a full disk it would only be in the way. */
export function dropPartText(place: ObjectPlace): string {
  return `rm -f ${quote(partPath(place))}`;
}

export type PublishReply = { kind: 'published' } | { kind: 'mismatch' } | { kind: 'nospace' };

/** Reads whether an object got its name. @throws HOST_REPLY_INVALID, HOST_COMMAND_FAILED. */
export function parsePublishObject(output: string, query: { host: string }): PublishReply {
  const purpose = `publishing an input on ${query.host}`;
  const { verb, rest, noise } = onlyLine(purpose, output);
  if (verb === 'published' || verb === 'mismatch') return { kind: verb };
  if (verb !== 'failed') throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  const error = stepFailed(purpose, rest, noise);
  if (error.code === 'HOST_NO_SPACE') return { kind: 'nospace' };
  throw error;
}

const HASH = `i=0
one() {
  if [ -f "$1" ] && [ ! -L "$1" ] && sum=$(sha256sum <"$1"); then echo "@ sum $i \${sum%% *}"; else echo "@ unread $i"; fi
  i=$((i + 1))
}
# many by one program, unless one of them is not what it should be
sums() {
  odd=''
  for f; do if [ -L "$f" ] || ! [ -f "$f" ]; then odd=1; fi; done
  if [ -z "$odd" ] && said=$(sha256sum "$@") && [ "$(printf '%s\\n' "$said" | wc -l)" -eq $# ]; then
    while read -r sum _; do
      echo "@ sum $i \${sum#\\\\}"
      i=$((i + 1))
    done <<E
$said
E
  else
    for f; do one "$f"; done
  fi
}`;

/** Gives the text that hashes files. Answers carry the index, so that no file name is ever parsed. */
export function hashFilesText(paths: readonly string[]): string {
  return [
    '# shellcheck disable=SC2016 # names are taken as they are',
    HASH,
    ...batches(paths).map((part) => `sums ${quoteAll(part)}`),
    "echo '@ done'",
  ].join('\n');
}

/** Reads hashes in the order of the paths. @throws HOST_REPLY_INVALID; SFTP_DENIED when a file could not be read. */
export function parseHashFiles(output: string, query: { host: string; count: number }): string[] {
  const purpose = `hashing outputs on ${query.host}`;
  const { lines, noise } = splitReply(output);
  const sums: string[] = [];
  for (const { verb, rest } of lines) {
    if (verb === 'done') break;
    const [index, sum] = rest.split(' ');
    if (verb === 'unread') throw unreadable(purpose, `file ${index} cannot be read`, noise);
    if (verb !== 'sum' || Number(index) !== sums.length)
      throw replyInvalid(purpose, 'field index: out of order', noise);
    sums.push(parseValue(sha256Schema, sum, purpose));
  }
  if (sums.length !== query.count || lines.at(-1)?.verb !== 'done') {
    throw replyInvalid(purpose, `${sums.length} hashes instead of ${query.count}`, noise);
  }
  return sums;
}

/** Asking again does not help: the account itself may not read what its task wrote. */
function unreadable(purpose: string, what: string, noise: string): AppError {
  return new AppError('SFTP_DENIED', `${purpose}: ${what}${noise === '' ? '' : `: ${noise}`}`);
}
