/** First contact with a host: its root is made or checked, and what it is and can do is found out. */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { LOGOUT, TELL_FACTS } from './doctor-parts.ts';
import { templateVariables, templateWord } from './expand.ts';
import { type GpuFacts, gpuProbeLines, parseGpus } from './gpu-probe.ts';
import { ROOT_MARKER } from './layout.ts';
import { type Logout, logoutOf, TRY_SCOPE } from './logout.ts';
import { quote } from './quote.ts';
import { REMOTE_FORMAT } from './records.ts';
import { parseValue, replyInvalid, splitReply, stepFailed } from './reply.ts';
import { setupLines } from './task-script.ts';

export interface ProbePlan {
  /** As configured: `~`, $HOME, $USER and $SCRATCH are expanded on the host. */
  rootTemplate: string;
  /** A name to look for in PATH, or an absolute path. */
  runtime: string;
  setup?: string | undefined;
  /** Attempts may be in there: a root that cannot be seen is away, and none is made in its place. */
  held?: HeldRoots | undefined;
}

/** Roots by path, or whatever it is called now. */
export type HeldRoots = readonly string[] | 'any';

const count = z.coerce.number().int().nonnegative();
const flag = z.enum(['0', '1']).transform((value) => value === '1');

const factsSchema = z.object({
  root: z.string().startsWith('/'),
  /** Made with the root, whatever file system shows it; roots of older versions have none. */
  rootId: z.string().optional(),
  uid: count,
  arch: z.string().optional(),
  user: z.string().min(1),
  home: z.string(),
  scratch: z.string().optional(),
  hostname: z.string().min(1),
  machineId: z.string(),
  bootId: z.string().min(1),
  pidNamespace: z.string(),
  cpus: count,
  memoryBytes: count,
  rootFsType: z.string(),
  freeBytes: count,
  clockMs: count,
  systemd: flag.optional(),
  killUserProcesses: z.string().optional(),
  killExclude: z.string().optional(),
  linger: flag.optional(),
  userScope: flag.optional(),
});

const toolsSchema = z.object({
  mvNoTarget: flag,
  syncFile: flag,
  setsid: flag,
  sha256sum: flag,
  stat: flag,
  defaultSignal: flag,
});

export interface HostFacts extends z.infer<typeof factsSchema> {
  /** What becomes of a task when the connection that started it closes. */
  logout: Logout;
  tools: z.infer<typeof toolsSchema>;
  /** Absent: not to be known just now. */
  gpus?: GpuFacts | undefined;
  /** Absent: no container runtime was found, or it does not run. */
  runtime?: { path: string; version: string } | undefined;
  /** The host's clock minus ours; 0 when the caller gave no time. */
  clockSkewMs: number;
}

const REFUSE = `refuse() {
  printf '%s\\n' "@ refused $1"
  exit 0
}`;

/** Every script of ours uses these: without one of them nothing further is to be found out. */
const BASICS =
  'awk cat chmod date grep head id ln ls mkdir mv od readlink rm rmdir sed sleep stat tail touch tr wc';

const LOOK_FOR_BASICS = `lacking=''
for name in ${BASICS}; do command -v "$name" >/dev/null || lacking="$lacking $name"; done
[ -z "$lacking" ] || { echo "@ lacks$lacking"; exit 0; }`;

// the pid alone may be that of another machine on the same file system
const ROOT = `read -r host </proc/sys/kernel/hostname
me=$$.$host
case $root in /*) ;; *) refuse "it is not absolute here: $root" ;; esac
case $root in *[[:cntrl:]]*) refuse 'its name has control characters' ;; esac
while case $root in ?*/) ;; *) false ;; esac; do root=\${root%/}; done
if [ "$root" = / ] || [ "$root" = "$HOME" ]; then refuse "$root belongs to others as well; choose a directory below it"; fi
[ ! -L "$root" ] || refuse "$root is a symbolic link"
if ! [ -e "$root" ]; then
  mkdir -p "\${root%/*}/" 2>&1
  mkdir -m 700 "$root" 2>&1 || [ -d "$root" ] || { echo '@ failed root cannot be made'; exit 0; }
fi
[ -d "$root" ] || refuse "$root is not a directory"
[ -O "$root" ] || refuse "$root belongs to another user"
mode=$(stat -c %a "$root")
case $mode in *[2367]? | *[2367]) refuse "$root can be written by others (mode $mode)" ;; esac
cd "$root" 2>&1 || { echo '@ failed root cannot be entered'; exit 0; }
# an empty one is what a full disk or a power loss left; complete ones are never empty
[ -s $marker ] || rm -f $marker
if [ -e $marker ]; then
  read -r mark <$marker
  case $mark in
    '{"format":${REMOTE_FORMAT},"towline":"root"'*) ;;
    '{"format":'*'"towline":"root"'*) refuse "$root was made by another version of Towline: $mark" ;;
    *) refuse "$root/$marker is not of Towline" ;;
  esac
else
  for entry in * .[!.]*; do
    case $entry in images | store | tasks | "$marker" | ".$marker".* | .probe.*) ;; *) [ ! -e "$entry" ] || refuse "$root is not empty and not of Towline (it has $entry)" ;; esac
  done
  mkdir -p images store/.part tasks 2>&1 || { echo '@ failed root cannot be filled'; exit 0; }
  # complete before it has its name: another first contact may look at the same moment
  # on a full disk nothing gets the name: half a marker would shut us out for good
  id=$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \\n')
  if ! echo '{"format":${REMOTE_FORMAT},"towline":"root","id":"'"$id"'"}' | { cat >".$marker.$me"; } 2>&1; then
    rm -f ".$marker.$me"
    echo '@ failed marker cannot be written'
    exit 0
  fi
  ln ".$marker.$me" $marker 2>/dev/null || [ -e $marker ] || mv ".$marker.$me" $marker 2>&1 ||
    { echo '@ failed marker cannot be written'; exit 0; }
  rm -f ".$marker.$me"
  # that of whoever was first
  read -r mark <$marker
fi
# older ones have none
id=''
case $mark in *'"id":"'*) id=\${mark##*'"id":"'} id=\${id%%'"'*} ;; esac
[ -d store/.part ] || mkdir -p images store/.part tasks 2>&1
# it is ours: whoever made it before us, nobody else gets in
case $mode in
  *00) ;;
  *)
    chmod go-rwx . 2>&1
    case $(stat -c %a .) in *00) ;; *) refuse "$root can be read by others, and its file system does not change that" ;; esac
    ;;
esac`;

const FACTS = `machine='' fs='' free=0 memory=0
read -r boot </proc/sys/kernel/random/boot_id
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
while read -r key value _; do [ "$key" != MemTotal: ] || { memory=$value; break; }; done </proc/meminfo
# shellcheck disable=SC2046 # three words
set -- $(stat -f -c '%T %a %S' . 2>/dev/null)
[ $# -lt 3 ] || { fs=$1; free=$(($2 * $3)); }
# a backslash in a path would mean something to echo
printf '%s\\n' "@ fact root $PWD"
case $id in '' | *[!0-9a-f]*) ;; *) echo "@ fact rootId $id" ;; esac
echo "@ fact uid $(id -u)"
echo "@ fact arch $(uname -m 2>/dev/null)"
echo "@ fact user $(id -un 2>/dev/null || id -u)"
printf '%s\\n' "@ fact home $HOME"
# a line of its own, or it is none
case \${SCRATCH-} in '' | *[[:cntrl:]]*) ;; *) printf '%s\\n' "@ fact scratch $SCRATCH" ;; esac
echo "@ fact hostname $host"
echo "@ fact machineId $machine"
echo "@ fact bootId $boot"
echo "@ fact pidNamespace $(readlink /proc/self/ns/pid)"
echo "@ fact cpus $(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)"
echo "@ fact memoryBytes $((memory * 1024))"
echo "@ fact rootFsType $fs"
echo "@ fact freeBytes $free"
echo "@ fact clockMs $(date +%s)000"
has() {
  name=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "@ tool $name 1"; else echo "@ tool $name 0"; fi
}
# what a shell that was killed here in the middle of this has left
for entry in .probe.*."$host" .probe.*."$host".[tu]; do
  left=\${entry#.probe.} left=\${left%%.*}
  case $left in *[!0-9]*) ;; *) [ ! -d "$entry" ] || [ -d "/proc/$left" ] || rm -rf "$entry" ;; esac
done
probe=.probe.$me
rm -rf "$probe" "$probe.t"
mkdir "$probe" "$probe.t" && true >"$probe.t/x"
# shellcheck disable=SC2016 # onto a directory that is not empty it must fail, onto nothing it must work
has mvNoTarget sh -c '! mv -T "$1" "$1.t" && [ -d "$1" ] && [ ! -d "$1.t/$1" ] && mv -T "$1" "$1.u"' sh "$probe"
rm -rf "$probe" "$probe.t" "$probe.u"
has syncFile sync .
has setsid setsid true
has sha256sum sha256sum /dev/null
has stat stat -c '%s %Y %n' .
has defaultSignal env --default-signal=INT,QUIT true`;

const RUNTIME = `path=$(command -v "$runtime") && case $path in
  /*)
    version=$("$path" --version 2>/dev/null </dev/null) && printf '%s\\n' "@ runtime $path" && echo "@ version $version"
    ;;
esac
echo '@ done'`;

/**
 * Gives the text of the first contact. It may be run any number of times, by several daemons at once.
 * @throws CONFIG_VALUE_INVALID on a root that can never be absolute.
 */
export function probeText(plan: ProbePlan): string {
  return [
    REFUSE,
    LOOK_FOR_BASICS,
    ...templateVariables(plan.rootTemplate).map(
      (name) => `[ -n "$${name}" ] || refuse "\\$${name} is not set on the host"`,
    ),
    `root=${templateWord(plan.rootTemplate)} runtime=${quote(plan.runtime)} marker=${ROOT_MARKER}`,
    ...heldLines(plan.held),
    ROOT,
    FACTS,
    TELL_FACTS,
    'user=$(id -un 2>/dev/null || id -u)',
    LOGOUT,
    TRY_SCOPE,
    ...checkedSetup(plan.setup),
    ...gpuProbeLines(),
    RUNTIME,
  ].join('\n');
}

/**
 * Reads what the first contact found; `now` is our own time, for the skew.
 * @throws HOST_ROOT_INVALID HOST_NO_SPACE HOST_COMMAND_FAILED HOST_TOOL_MISSING HOST_REPLY_INVALID
 */
export function parseProbe(output: string, query: { host: string; now?: number }): HostFacts {
  const { host } = query;
  const purpose = `looking at host ${host}`;
  const { lines, noise } = splitReply(output);
  const words: Record<'fact' | 'tool', Record<string, string>> = { fact: {}, tool: {} };
  let path: string | undefined;
  let version: string | undefined;
  for (const { verb, rest } of lines) {
    const space = rest.indexOf(' ');
    if (verb === 'refused') {
      throw new AppError('HOST_ROOT_INVALID', `the remote root of ${host}: ${rest}`, {
        context: { host },
      });
    } else if (verb === 'lacks') throw toolsMissing(rest.split(' '), host);
    else if (verb === 'failed') throw stepFailed(purpose, rest, noise);
    else if (verb === 'away') throw rootAway(rest, host);
    else if (verb === 'fact' || verb === 'tool')
      words[verb][rest.slice(0, space)] = rest.slice(space + 1);
    else if (verb === 'runtime') path = rest;
    else if (verb === 'version') version = rest;
  }
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const facts = parseValue(factsSchema, words.fact, purpose);
  const tools = parseValue(toolsSchema, words.tool, purpose);
  demandTools(tools, host);
  const runtime = path === undefined ? undefined : { path, version: version ?? '' };
  const clockSkewMs = query.now === undefined ? 0 : facts.clockMs - query.now;
  return { ...facts, logout: logoutOf(facts), tools, gpus: parseGpus(lines), runtime, clockSkewMs };
}

function heldLines(held: HeldRoots = []): string[] {
  if (held.length === 0) return [];
  const roots = held === 'any' ? '*' : held.map(quote).join(' | ');
  const look = `[ -r "$root/$marker" ] || { printf '%s\\n' "@ away $root"; exit 0; }`;
  return [`case \${root%/} in ${roots}) ${look} ;; esac`];
}

function rootAway(root: string, host: string): AppError {
  const why = `the remote root ${root} of ${host} cannot be seen, and tasks are in it`;
  const how = `if it is gone for good, a new one is made by: towline host setup ${host}`;
  return new AppError('HOST_ROOT_UNAVAILABLE', `${why}; ${how}`, { context: { host } });
}

/** A text that is no shell would end the shell that evaluates it. */
function checkedSetup(setup: string | undefined): string[] {
  if (setup === undefined) return [];
  const check = `sh -n -c ${quote(setup)} || { echo '@ failed setup is not valid shell'; exit 0; }`;
  return [check, ...setupLines(setup)];
}

/** Without these nothing can be run at all; the others have fallbacks. */
function demandTools(tools: HostFacts['tools'], host: string): void {
  const missing = (['setsid', 'sha256sum', 'stat'] as const).filter((name) => !tools[name]);
  if (missing.length === 0) return;
  throw toolsMissing(missing, host);
}

function toolsMissing(names: readonly string[], host: string): AppError {
  return new AppError('HOST_TOOL_MISSING', `host ${host} lacks ${names.join(', ')}`, {
    context: { host },
  });
}
