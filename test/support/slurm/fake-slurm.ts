/**
 * A fake of Slurm's commands, for what a real cluster will not do on demand. Jobs really run, as processes of the
 * user that submits them; nothing is scheduled, limited or measured. It is put on this machine or on a host of the
 * bed, first on the PATH of who asks: the key `setup` of a host, or PATH in the environment.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BED_NAME, type BedHost, onHost, type SpareName } from '../bed.ts';

const run = promisify(execFile);

const COMMANDS = join(import.meta.dirname, 'fake');

/** What each command can be told to do wrong; `hang` and `down` (the controller does not answer) are for all. */
export interface FakeFaults {
  sbatch:
    | FakeFault
    /** Taken and started, but the answer is lost: no answer at all, a time-out, killed while it answers. */
    | 'accept-hang'
    | 'accept-timeout'
    | 'accept-killed'
    /** Taken, with a word of warning on stderr, with lines of others around the id, or with a cluster's name after it. */
    | 'accept-busy'
    | 'warning'
    | 'banner'
    | 'cluster'
    /** Not taken. */
    | 'timeout'
    | 'busy'
    | 'invalid-partition'
    | 'qos-limit';
  /** `old-job`: the rows are those of jobs of long ago that had the same ids. */
  squeue: FakeFault | 'empty' | 'error' | 'timeout' | 'old-job';
  /** `lag`: all jobs are pending still. */
  sacct: FakeFault | 'empty' | 'error' | 'lag';
  /** `ignored`: it says that all is well, and nothing happens. */
  scancel: FakeFault | 'error' | 'timeout' | 'ignored';
  scontrol: FakeFault | 'error' | 'empty';
  sinfo: FakeFault | 'error';
}
type FakeFault = 'hang' | 'down';

export type FakeCommand = keyof FakeFaults;

export interface FakeSettings {
  /** Whether sacct answers. Default: off. */
  accounting: 'on' | 'off';
  /** How many jobs run at a time. Default: 1000. */
  slots: number;
  /** With `yes` everything waits. */
  held: 'yes' | 'no';
  /** Seconds from TERM to KILL. Default: 2. */
  kill_wait: number;
  /** Seconds until a requeued job begins again (120 with the real one), or never. Default: 0. */
  requeue_delay: number | 'never';
  /** Seconds that squeue and scontrol remember what is over. Default: 300. */
  min_job_age: number;
  /** The first is the default one. Default: `short long`. */
  partitions: string;
  max_array: number;
  /** Of the first job. Default: 1. */
  first_id: number;
  version: string;
}

export interface FakeJob {
  /** As squeue prints it: 12, or 12_3 of an array. */
  id: string;
  /** What SLURM_JOB_ID is. */
  rawId: string;
  name: string;
  state: string;
  reason: string;
  exit: string;
  restarts: number;
  partition: string;
}

export type EndState =
  | 'BOOT_FAIL'
  | 'CANCELLED'
  | 'COMPLETED'
  | 'DEADLINE'
  | 'FAILED'
  | 'NODE_FAIL'
  | 'OUT_OF_MEMORY'
  | 'PREEMPTED'
  | 'TIMEOUT';

export interface FakeSlurm extends AsyncDisposable {
  /** The directory of the commands. */
  readonly bin: string;
  /** For the key `setup` of a host. */
  readonly setup: string;
  /** The next calls of a command go wrong. */
  fault<C extends FakeCommand>(
    command: C,
    fault: FakeFaults[C],
    times?: number | 'always',
  ): Promise<void>;
  /** No faults any more. */
  heal(command?: FakeCommand): Promise<void>;
  set<K extends keyof FakeSettings>(key: K, value: FakeSettings[K]): Promise<void>;
  /** A job ends as the cluster ends it: its processes are killed at once. 0:0 is what Slurm often prints for it. */
  end(id: string, state: EndState, exit?: string): Promise<void>;
  /** The same id once more, as after a failed node; --no-requeue does not keep the cluster from it. */
  requeue(id: string): Promise<void>;
  /** The controller does not know the job any more, nor do the accounts. */
  forget(id: string): Promise<void>;
  jobs(): Promise<FakeJob[]>;
  /** What was asked, in order: command and arguments. */
  calls(command?: FakeCommand): Promise<string[][]>;
}

export interface FakePlace {
  /** Default: this machine. */
  on?: BedHost | SpareName;
  /** Who submits there. Default: alice. */
  user?: string;
}

/** Disposing kills what runs and removes all. */
export async function makeFakeSlurm(place: FakePlace = {}): Promise<FakeSlurm> {
  const { directory, call, remove } = await settle(place);
  const control = (...args: string[]): Promise<string> => call(`${directory}/control`, ...args);
  return {
    bin: directory,
    setup: `export PATH=${directory}:$PATH`,
    async fault(command, fault, times = 1) {
      await control('fault', command, fault, String(times));
    },
    async heal(command) {
      await control('heal', ...(command === undefined ? [] : [command]));
    },
    async set(key, value) {
      await control('set', key, String(value));
    },
    async end(id, state, exit = '0:0') {
      await control('end', id, state, exit);
    },
    async requeue(id) {
      await control('requeue', id);
    },
    async forget(id) {
      await control('forget', id);
    },
    jobs: async () => records(await control('jobs')).map(jobOf),
    async calls(command) {
      const text = await call('sh', '-c', 'cat "$0" 2>/dev/null || :', `${directory}/state/calls`);
      const calls = records(text);
      return command === undefined ? calls : calls.filter(([name]) => name === command);
    },
    async [Symbol.asyncDispose]() {
      await control('stop');
      await remove();
    },
  };
}

interface Settled {
  directory: string;
  call: (...command: string[]) => Promise<string>;
  remove: () => Promise<unknown>;
}

async function settle({ on, user = 'alice' }: FakePlace): Promise<Settled> {
  if (on === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'fake-slurm-'));
    cpSync(COMMANDS, directory, { recursive: true });
    const call = async (...[program = '', ...args]: string[]): Promise<string> =>
      (await run(program, args, { maxBuffer: 64 << 20 })).stdout;
    const remove = async (): Promise<void> => rmSync(directory, { recursive: true, force: true });
    return { directory, call, remove };
  }
  const directory = `/tmp/fake-slurm-${crypto.randomUUID().slice(0, 8)}`;
  await run('docker', ['cp', '--quiet', COMMANDS, `${BED_NAME}-${on}:${directory}`]);
  await onHost(on, 'chown', '-R', `${user}:`, directory);
  const call = (...command: string[]): Promise<string> =>
    onHost(on, 'runuser', '-u', user, '--', ...command);
  return { directory, call, remove: () => onHost(on, 'rm', '-rf', directory) };
}

/** Fields end with 0x1f, records with 0x1e. */
function records(text: string): string[][] {
  return text
    .split('\x1e')
    .filter(Boolean)
    .map((record) => record.split('\x1f').slice(0, -1));
}

function jobOf(fields: string[]): FakeJob {
  const job = Object.fromEntries(
    fields.map((field) => {
      const at = field.indexOf('=');
      return [field.slice(0, at), field.slice(at + 1)] as const;
    }),
  );
  const { public: id = '', name = '', state = '', reason = '', exit = '', partition = '' } = job;
  const restarts = Number(job['restarts']);
  return { id, rawId: job['id'] ?? '', name, state, reason, exit, restarts, partition };
}
