/**
 * An image that comes to a host as bytes from another one. It is written into a directory of its own,
 * `.part-…` beside the images, and gets its name as a pulled one does: whole, checked, by a link.
 */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { templateWord } from './expand.ts';
import { parseReady, READY, type ReadyReply } from './image-ready.ts';
import { safeName } from './layout.ts';
import { quote } from './quote.ts';
import { parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';

export interface ReceivePlace {
  /** The directory of images; may begin with ~, $HOME or $SCRATCH. */
  directory: string;
  root: string;
  key: string;
  sha256: string;
  daemonId: string;
  /** The configured name: two hosts with one file system have a part each. */
  host: string;
  /** Only these very bytes will do: an image that is there with others stays, and this one is the newer. */
  newer?: boolean | undefined;
}

export type ReceiveReply =
  | ReadyReply
  /** `bytes` are there already; the rest goes to `path`. */
  | { kind: 'part'; path: string; bytes: number }
  | { kind: 'nospace'; freeBytes: number }
  | { kind: 'mismatch' };

/** Other bytes are another part: what an older image of that name left is never gone on with. */
function partName({ key, sha256, daemonId, host }: ReceivePlace): string {
  const parts = [key, sha256.slice(0, 16), daemonId, host].map(safeName);
  return quote(`.part-${parts.join('.')}`);
}

function enter(place: ReceivePlace): string[] {
  return [
    `dir=${templateWord(place.directory)} key=${quote(safeName(place.key))} part=${partName(place)}`,
    // a cache outside the root may be shared: it is as the account's own umask makes it
    `case $dir/ in ${quote(place.root)}/*) ;; *) umask "\${TOWLINE_UMASK:-077}" ;; esac`,
    'mkdir -p "$dir"',
    'cd "$dir" || { echo \'@ failed the image directory cannot be used\'; exit 0; }',
    `want=${quote(place.sha256)} newer=${place.newer === true ? '1' : "''"}`,
    READY,
    READY_AS_WANTED,
    OWN_PART,
  ];
}

const READY_AS_WANTED = `there() {
  [ -n "$newer" ] || { ready; return; }
  current || return 1
  record=''
  [ -r "$image.json" ] && read -r record <"$image.json"
  case $record in *'"sha256":"'"$want"'"'*) ready ;; *) return 1 ;; esac
}`;

const OWN_PART = `# In a directory that others may write to, nobody has put one there for us.
own_part() {
  [ -d "$part" ] && [ ! -L "$part" ] && [ -O "$part" ]
}`;

const LOOK = `if there; then
  ! own_part || rm -rf "$part"
  exit 0
fi
mkdir -m 700 "$part" 2>/dev/null
own_part || { echo '@ failed no directory can be made for the image'; exit 0; }
have=0
[ ! -f "$part/image.sif" ] || have=$(wc -c <"$part/image.sif")
# shellcheck disable=SC2046 # two numbers
set -- $(stat -f -c '%a %S' . 2>/dev/null)
if [ $# -eq 2 ] && [ $(($1 * $2 + have)) -lt "$need" ]; then
  rm -rf "$part"
  echo "@ nospace $(($1 * $2))"
  exit 0
fi
printf '%s\\n' "@ part $((have)) $PWD/$part/image.sif"`;

/** Gives the text that says that the image is there, or where its bytes go and how many of `bytes` are there. */
export function receiveText(place: ReceivePlace, bytes: number): string {
  return [...enter(place), `need=${Math.trunc(bytes)}`, LOOK].join('\n');
}

const PUBLISH = `if ! own_part; then
  there || echo '@ failed the part is gone'
  exit 0
fi
read -r sum _ <<E
$(sha256sum <"$part/image.sif")
E
if [ "$sum" != "$want" ]; then
  rm -rf "$part"
  echo '@ mismatch'
  exit 0
fi
cd "$part" || exit 0
printf '%s,"at":%s}\\n' "$text" "$(date +%s)" >image.json || { echo '@ failed the record cannot be written'; exit 0; }
chmod 0444 image.sif
sync image.sif image.json 2>/dev/null || sync
# IMPORTANT: the record first; the image is ready once it has its name. Neither replaces one that is there.
name=$key
if [ -n "$newer" ] && (cd .. && current); then name=$key.g$(printf %.16s "$want"); fi
if [ ! -e "../$name.sif" ]; then mv image.json "../$name.json" || { echo '@ failed the record cannot be named'; exit 0; }; fi
ln image.sif "../$name.sif" 2>/dev/null || [ -e "../$name.sif" ] || mv image.sif "../$name.sif"
[ "$name" = "$key" ] || { echo "$name" >now && mv now "../.now.$key"; }
cd .. && rm -rf "$part"
there || echo '@ failed the image cannot be named'`;

/** Gives the text that checks what came and gives it its name. Run again after it worked, it says the same. */
export function publishImageText(place: ReceivePlace, record: Record<string, unknown>): string {
  const { at: _, ...rest } = record;
  // the time is the host's own: what was pulled elsewhere long ago is new here
  const text = JSON.stringify(rest).slice(0, -1);
  const words = `text=${quote(text)}`;
  return [...enter(place), words, PUBLISH].join('\n');
}

/** Gives the text that removes what came of an image that nobody wants any more. */
export function dropImagePartText(place: ReceivePlace): string {
  return [...enter(place), '! own_part || rm -rf "$part"', "echo '@ done'"].join('\n');
}

const pathSchema = z.string().startsWith('/');
const countSchema = z.string().regex(/^\d+$/, 'not a number').transform(Number);

/** Reads the reply of both texts. @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED HOST_NO_SPACE */
export function parseReceive(output: string, query: { host: string; image: string }): ReceiveReply {
  const { host, image } = query;
  const purpose = `receiving image ${image} on ${host}`;
  const { lines, noise } = splitReply(output);
  const [line] = lines;
  if (line === undefined || lines.length > 1)
    throw replyInvalid(purpose, `${lines.length} reply lines instead of one`, noise);
  const { verb, rest } = line;
  const space = rest.indexOf(' ');
  const [word, path] = [rest.slice(0, space), rest.slice(space + 1)];
  switch (verb) {
    case 'ready':
      return parseReady(rest, purpose);
    case 'part': {
      const bytes = parseValue(countSchema, word, purpose);
      return { kind: 'part', path: parseValue(pathSchema, path, purpose), bytes };
    }
    case 'nospace':
      return { kind: 'nospace', freeBytes: parseValue(countSchema, rest, purpose) };
    case 'mismatch':
      return { kind: 'mismatch' };
    case 'failed':
      throw stepFailed(purpose, rest, noise).in({ host, image });
    default:
      throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  }
}

/** The error for an image that does not fit. */
export function noSpaceForImage(
  query: { host: string; image: string },
  { needBytes, freeBytes }: { needBytes: number; freeBytes: number },
): AppError {
  const { host, image } = query;
  const text = `image ${image} of ${needBytes} bytes does not fit on ${host}: ${freeBytes} bytes are free`;
  return new AppError('HOST_NO_SPACE', text, { context: { host, image } });
}
