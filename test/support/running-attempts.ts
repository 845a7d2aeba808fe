/**
 * Attempts that look as running, for a daemon that is not: rows in its state directory, and on hosts of the bed the
 * directories that a supervisor would have made. All of a host name one sleeping process as their supervisor; no
 * container and no process of their own belongs to them.
 */
import type { LaunchRecord } from '../../src/domain/state.ts';
import type { TaskId } from '../../src/domain/task.ts';
import { openStore } from '../../src/store/open.ts';
import { type BedHost, onHost } from './bed.ts';
import { aSpec, IMAGE } from './builders.ts';
import type { TestDaemon } from './daemon.ts';

export interface Place {
  /** As configured; its root must have been made by a first contact. */
  name: string;
  on: BedHost;
}

const BATCH = 1_000;
const NONCE = 'planted';
const ALICE = ['setpriv', '--reuid=alice', '--regid=alice', '--clear-groups'];

/** Prints what a supervisor would record of itself. */
const SLEEPER = `setsid sleep 86400 >/dev/null 2>&1 </dev/null &
pid=$!
read -r boot </proc/sys/kernel/random/boot_id
read -r host </proc/sys/kernel/hostname
machine=''
[ ! -r /etc/machine-id ] || read -r machine </etc/machine-id
read -r stat </proc/$pid/stat
set -- \${stat##*) }
echo "$pid \${20} $boot $host $machine"`;

/** One directory for each attempt, with the files that a running one has. */
const PLANT = String.raw`my ($tasks, $prefix, $count, $nonce, $record) = @ARGV;
umask 077;
my $made = "";
for (split m{/}, substr $tasks, 1) { $made .= "/$_"; -d $made or mkdir $made or die "$made: $!" }
chdir $tasks or die $!;
for my $n (0 .. $count - 1) {
  my $token = sprintf "%s%06d.1", $prefix, $n;
  mkdir $token or die "$token: $!";
  my %files = ("spec.json" => qq({"format":1,"digest":"none","token":"$token"}\n), "go.$nonce" => "",
    "sup.$nonce.json" => "$record\n", ".exit.$nonce" => "", rc => " " x 63 . "\n",
    stdout => "", stderr => "", "runtime.log" => "");
  while (my ($name, $text) = each %files) {
    open my $file, ">", "$token/$name" or die "$token/$name: $!";
    print $file $text;
    close $file or die $!;
  }
}`;

/** Gives the ids. Disposing ends the sleeping processes; the directories go with the roots of the daemon. */
export async function plantRunning(
  daemon: TestDaemon,
  places: readonly Place[],
  each: number,
): Promise<AsyncDisposable & { ids: TaskId[] }> {
  const { store } = await openStore({ stateDir: daemon.stateDir });
  await using undo = new AsyncDisposableStack();
  try {
    const ids: TaskId[] = [];
    for (const [index, { name, on }] of places.entries()) {
      const launch = await startSleeper(on, daemon.rootOn(name));
      undo.defer(async () => void (await onHost(on, 'kill', String(launch.pid))));
      const prefix = `planted${String(index).padStart(13, '0')}`;
      const tasks = `${launch.root}/tasks/${store.daemonId}`;
      const words = [tasks, prefix, String(each), NONCE, recordOf(launch)];
      await onHost(on, ...ALICE, 'perl', '-e', PLANT, ...words);
      for (let from = 0; from < each; from += BATCH) {
        const numbers = Array.from({ length: Math.min(BATCH, each - from) }, (_, n) => from + n);
        const changes = numbers.map((n) =>
          runningTask(`${prefix}${pad(n)}` as TaskId, name, launch),
        );
        await store.insert(changes);
        ids.push(...changes.map(({ task }) => task.id));
      }
    }
    const kept = undo.move();
    return { ids, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  } finally {
    await store.close();
  }
}

const pad = (n: number): string => String(n).padStart(6, '0');

async function startSleeper(on: BedHost, root: string): Promise<LaunchRecord> {
  const said = (await onHost(on, ...ALICE, 'sh', '-c', SLEEPER)).trim();
  const [pid, startTicks = '', bootId = '', hostname = '', machineId = ''] = said.split(' ');
  const where = { bootId, machineId, hostname, startedAt: Date.now(), root };
  return { nonce: NONCE, pid: Number(pid), startTicks, ...where };
}

function recordOf({
  pid,
  startTicks,
  bootId,
  machineId,
  hostname,
  startedAt,
}: LaunchRecord): string {
  const at = Math.floor(startedAt / 1_000);
  const where = { boot: bootId, machine: machineId, hostname, at };
  return JSON.stringify({ format: 1, n: NONCE, pid, start: startTicks, ...where });
}

function runningTask(id: TaskId, host: string, launch: LaunchRecord) {
  const at = Date.now();
  const common = { attempt: 1, host, since: at };
  const task = {
    id,
    spec: aSpec({ host, command: { kind: 'argv' as const, argv: ['sleep', '86400'] } }),
    state: { kind: 'running' as const, image: IMAGE, launch, ...common },
    ...{ history: [], version: 1, submittedAt: at },
  };
  const event = { at, task: id, attempt: 1, kind: 'submitted', state: 'running', data: {} };
  return { task, events: [event], effects: [{ kind: 'watch' as const, attempt: 1 }] };
}
