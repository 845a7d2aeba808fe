/**
 * The launch of an attempt in one run: publish its directory once, start its supervisor. It may be run
 * any number of times, at once or later, on any shell: the directory appears by one rename, complete
 * and with the only ticket there will ever be, and only the supervisor that takes the ticket starts.
 */
import type { StagedInputs } from '../domain/state.ts';
import type { StreamName } from '../domain/task.ts';
import { batches, grouped } from './batches.ts';
import { signOfUse, USE_FILE, useLines } from './image-use.ts';
import { type Place, placeInputs } from './input-places.ts';
import { type AttemptPlace, attemptsDir, ROOT_MARKER, safeName } from './layout.ts';
import { type Link, linkLines } from './links.ts';
import { IN_USER_SCOPE, RUNTIME_DIR } from './logout.ts';
import { NEED_FUNCTIONS, type Need, needLine } from './needs.ts';
import { TELL_JOB } from './noted-job.ts';
import { objectName } from './objects.ts';
import { quote, quoteAll } from './quote.ts';

export interface LaunchFile {
  name: string;
  content: string;
  mode: number;
}

/** `inCache`: of the image cache, where its use is signed for. */
export interface LaunchImage {
  path: string;
  inCache?: boolean | undefined;
}

export interface LaunchPlan extends AttemptPlace {
  /** New for each try. */
  nonce: string;
  /** sha256 of the launch content; the same token with another digest is a conflict. */
  digest: string;
  files: readonly LaunchFile[];
  inputs: StagedInputs;
  volumes?: readonly string[] | undefined;
  /** Directories in that of the attempt that the task finds. */
  directories?: readonly string[] | undefined;
  image: LaunchImage;
  /** Those of the steps behind the first. */
  laterImages?: readonly LaunchImage[] | undefined;
  /** What must be there already; the reply names the first that is not by its number. */
  needs?: readonly Need[] | undefined;
  /** 0: no cap. */
  outputLimitBytes: number;
  /** 0: no limit. */
  timeLimitMs: number;
  /** Files of the command are to be fetched: they are put on disk, after the exit record. */
  hasOutputs?: boolean | undefined;
  /** Its logind ends what a login started, but for what is in a scope of the user's manager. */
  inUserScope?: boolean | undefined;
  /** The host's mv knows -T. */
  mvNoTarget: boolean;
  /** It is only published: a job of a scheduler starts it. */
  asJob?: boolean | undefined;
}

/** Files that the supervisor finds empty. */
const STREAM_FILES: readonly (StreamName | 'runtime.log')[] = ['stdout', 'stderr', 'runtime.log'];
const DIRECTORIES = ['work', 'home', 'tmp', 'vartmp', 'inputs'];

/** Gives the text that launches an attempt. @throws TASK_INVALID on inputs or names that cannot be placed. */
export function launchText(plan: LaunchPlan): string {
  const token = safeName(plan.token);
  const part = `.${token}.${safeName(plan.nonce)}`;
  return [
    '# shellcheck disable=SC2016,SC1003 # words of the user are not for this shell to expand',
    // an empty mount point is no root: in there the attempt could start a second time
    `if ! cd ${quote(plan.root)} || ! [ -r ${ROOT_MARKER} ]; then echo '@ failed no-root'; exit 0; fi`,
    `T=${quote(token)} n=${quote(plan.nonce)} part=${quote(part)}`,
    FUNCTIONS,
    NEED_FUNCTIONS,
    plan.asJob === true ? PUBLISHED : startText(plan.inUserScope === true),
    `dir=${quote(attemptsDir(plan))} store=${quote(`${plan.root}/store`)}`,
    '[ -d "$dir" ] || mkdir -p "$dir" || fail no-directory',
    'cd "$dir" || fail no-directory',
    '[ ! -e ".ended/$T" ] || { echo "@ cancelled"; exit 0; }',
    ...imageLines(plan),
    'if ! [ -d "$T" ]; then',
    ...buildLines(plan),
    plan.mvNoTarget ? MOVE_NO_TARGET : MOVE_PLAIN,
    'fi',
    `same_content ${quote(plan.digest)} || differs`,
    plan.asJob === true
      ? 'published'
      : `start ${plan.outputLimitBytes} ${plan.timeLimitMs} ${plan.hasOutputs === true ? 1 : 0}`,
  ].join('\n');
}

const FUNCTIONS = `# A builtin does not say why a write failed: a tool is asked to write once more.
fail() {
  case $( { head -c 65536 /dev/zero >".probe.$n"; } 2>&1 ) in
    *[Nn]o\\ space* | *[Qq]uota*) set -- nospace ;;
  esac
  rm -rf ".probe.$n" "$part"
  echo "@ failed $1"
  exit 0
}
gone() {
  rm -rf "$part"
  printf '%s\\n' "@ $1"
  exit 0
}
link() {
  [ -f "$store/$1" ] || gone "object-gone $1"
  # no links left for this object, or a file system without them
  ln "$store/$1" "$part/$2" 2>/dev/null || cp -p "$store/$1" "$part/$2" || fail no-input
}
# the task may write to its own
copy() {
  [ -f "$store/$1" ] || gone "object-gone $1"
  { cp "$store/$1" "$part/$2" && chmod u+w "$part/$2"; } || fail no-input
}
stub() {
  if [ -d "$1" ]; then
    mkdir "$part/$2" || fail no-input
  else
    true >"$part/$2" || fail no-input
  fi
}
seen() {
  [ -e "$1" ] || gone "input-gone $1"
}
same_content() {
  spec=''
  [ -r "$T/spec.json" ] && read -r spec <"$T/spec.json"
  case $spec in *'"digest":"'"$1"'"'*) ;; *) false ;; esac
}
# A cancel that came first leaves a directory of its own.
differs() {
  for seen in "$T"/cancelled.*; do
    [ -e "$seen" ] && gone cancelled
  done
  gone conflict
}
# The record of whoever won.
already() {
  for go in go.*; do
    record=''
    [ -r "sup.\${go#go.}.json" ] && read -r record <"sup.\${go#go.}.json"
    [ -n "$record" ] || continue
    # what is told to have started must still be so after a loss of power
    { sync . .. || sync; } 2>/dev/null
    echo "@ already $record"
    return
  done
  for seen in cancelled.*; do
    [ -e "$seen" ] && echo '@ cancelled' && return
  done
  echo '@ lost'
}`;

/** What a job is to start, and what is known of that job. */
const PUBLISHED = `${TELL_JOB}
published() {
  cd "$T" || fail no-directory
  tell_job
  if [ -e ticket ]; then echo '@ published'; else already; fi
}`;

/** The supervisor in a session of its own; what it says first is the reply. */
function startText(inUserScope: boolean): string {
  const scope = inUserScope ? `${IN_USER_SCOPE} ` : '';
  return `${inUserScope ? `${RUNTIME_DIR}\n` : ''}start() {
  cd "$T" || fail no-directory
  line=''
  if [ -e ticket ]; then
    # the shell at the other end of the pipe waits until the supervisor closes it, not until it ends
    line=$(TOWLINE_SUPERVISOR=$T setsid ${scope}sh ./sup.sh "$n" "$T" "$1" "$2" "$3" </dev/null 2>>runtime.log &)
  fi
  case $line in
    '' | '@ lost') already ;;
    # it did not say whether for lack of room
    '@ failed '*) fail "\${line#@ failed }" ;;
    *) echo "$line" ;;
  esac
}`;
}

/** rename(2): onto a directory that is not empty it fails, so there is one winner. */
const MOVE_NO_TARGET = `mv -T "$part" "$T" 2>/dev/null
[ ! -d "$part" ] || rm -rf "$part"`;

/** Without -T the loser of a race may land inside the winner's directory: it is taken out again. */
const MOVE_PLAIN = `mv "$part" "$T" 2>/dev/null
rm -rf "$part" "\${T:?}/$part"`;

/** Everything is made in a directory with the nonce in its name; the ticket is there from the start. */
function buildLines(plan: LaunchPlan): string[] {
  const { places } = placeInputs(plan.inputs.files, plan.volumes);
  const checks = places.filter((place) => place.kind === 'stub' || place.kind === 'seen');
  const made = directoriesOf(places, plan.directories).map((name) => `"$part"/${quote(name)}`);
  const nested = made.filter((name) => name.slice('"$part"/'.length).includes('/'));
  const executable = plan.files.filter((file) => (file.mode & 0o100) !== 0);
  return [
    ...grouped((plan.needs ?? []).map(needLine)),
    ...grouped(checks.map((place) => `seen ${quote(place.path)}`)),
    // what the payload finds is as the account's own umask makes it; the chmod below shuts it in
    'umask "${TOWLINE_UMASK:-077}"',
    ...batches(made).map((part) => `mkdir -p ${part.join(' ')} || fail no-directory`),
    'umask 077',
    ...plan.files.map(fileLine),
    ...useFile(plan).map(fileLine),
    `for f in ticket ${STREAM_FILES.join(' ')}; do true >"$part/$f" || fail no-file; done`,
    // room for the command's code, which a full disk must not lose
    `printf '%63s\\n' '' >"$part/rc" || fail no-file`,
    `chmod 700 ${['"$part"', ...executable.map((file) => `"$part"/${quote(safeName(file.name))}`)].join(' ')} || fail no-directory`,
    ...grouped(places.flatMap(ownLine)),
    ...linkLines(places.flatMap(linkOf)),
    ...(plan.inputs.stdin === undefined
      ? []
      : [`link ${objectName(plan.inputs.stdin.sha256, plan.inputs.stdin.mode)} stdin`]),
    // nothing gets its name before its bytes are on disk: a loss of power must not leave half an attempt
    `{ sync ${['"$part"/*', ...nested, '"$part"'].join(' ')} || sync; } 2>/dev/null`,
  ];
}

/** What has started needs no image: its record is asked for. */
function imageLines(plan: LaunchPlan): string[] {
  const signs = signsOf(plan);
  const undo = signs.length > 0 ? `rm -f ${quoteAll(signs)}; ` : '';
  return [
    'if ! [ -d "$T" ] || [ -e "$T/ticket" ]; then',
    ...cachedOf(plan).flatMap((image) => useLines({ ...plan, ...image })),
    ...imagesOf(plan).map(
      ({ path }) => `[ -r ${quote(path)} ] || { ${undo}echo '@ image-gone'; exit 0; }`,
    ),
    'fi',
  ];
}

function useFile(plan: LaunchPlan): LaunchFile[] {
  const signs = signsOf(plan);
  if (signs.length === 0) return [];
  return [{ name: USE_FILE, content: `${signs.join('\n')}\n`, mode: 0o600 }];
}

/** Each once: steps may have the same. */
function imagesOf({ image, laterImages = [] }: LaunchPlan): LaunchImage[] {
  return [...new Map([image, ...laterImages].map((one) => [one.path, one])).values()];
}

const cachedOf = (plan: LaunchPlan): LaunchImage[] =>
  imagesOf(plan).filter(({ inCache }) => inCache === true);

const signsOf = (plan: LaunchPlan): string[] =>
  cachedOf(plan).map((image) => signOfUse({ ...plan, ...image }));

function fileLine(file: LaunchFile): string {
  return `printf %s ${quote(file.content)} >"$part"/${quote(safeName(file.name))} || fail no-file`;
}

/** One mkdir makes them all; parents that are nobody's input included. */
function directoriesOf(places: readonly Place[], more: readonly string[] = []): string[] {
  const names = new Set([...DIRECTORIES, ...more]);
  for (const place of places) {
    if (place.kind === 'directory') names.add(place.place);
    else if (place.kind !== 'seen') names.add(place.place.slice(0, place.place.lastIndexOf('/')));
  }
  return [...names];
}

/** What is made one by one. */
function ownLine(place: Place): string[] {
  switch (place.kind) {
    case 'copy':
      return [`copy ${objectName(place.sha256, place.mode)} ${quote(place.place)}`];
    case 'stub':
      return [`stub ${quote(place.path)} ${quote(place.place)}`];
    case 'object':
    case 'directory':
    case 'seen':
      return [];
  }
}

function linkOf(place: Place): Link[] {
  if (place.kind !== 'object') return [];
  return [{ object: objectName(place.sha256, place.mode), place: place.place }];
}
