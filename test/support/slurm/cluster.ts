/**
 * The small cluster of the bed, with real Slurm: hpc and hpc2 to log in, hpcn1 and hpcn2 to compute, one home for all.
 * It comes up on demand: tests that do not need it do not pay for it.
 */
import { MINI, onHost, requireBed, testbed } from '../bed.ts';
import { until } from '../until.ts';

export type LoginNode = 'hpc' | 'hpc2';
export type ComputeNode = 'hpcn1' | 'hpcn2';

/** Disposing removes what was written in its directory; jobs are not ended by it. */
export interface Cluster extends AsyncDisposable {
  /** The small image as a file in the shared home: nothing has to be pulled. */
  readonly image: string;
  /** In the shared home, this test's own. */
  readonly dir: string;
  /** Runs shell text as alice in the directory and gives its stdout. @throws with its stderr */
  sh(text: string, on?: LoginNode | ComputeNode): Promise<string>;
  /** Sends a batch script with options of sbatch and gives the job's id. */
  submit(script: string, ...options: string[]): Promise<string>;
  /** The state by squeue, also of what is over, as long as it is remembered (MinJobAge); empty if it is not. */
  state(id: string): Promise<string>;
  /** Waits until a job is in one of these states. */
  becomes(id: string, ...states: string[]): Promise<void>;
  /** A field of `scontrol show job`. */
  field(id: string, name: string): Promise<string>;
  /** The controller, or the daemon of a node: stop and start, or stand still and go on. */
  daemon(verb: 'stop' | 'start' | 'hang' | 'go-on', of?: ComputeNode): Promise<void>;
  /** As if a node had failed; waits until it has come back by itself. What may be requeued is. */
  nodeFails(node: ComputeNode): Promise<void>;
  /** Lines of slurm.conf; without any it is as it was. */
  set(...lines: string[]): Promise<void>;
}

/** Brings the cluster up unless it is: about ten seconds, once for all tests. */
export async function hpc(): Promise<Cluster> {
  requireBed();
  if (!(await isReady())) await testbed('up', 'hpc');
  const image = '/home/alice/test-images/bed-mini.sif';
  await sh('/home/alice', PULL, 'hpc', image, MINI);
  // ids begin anew with each new cluster, while its home stays: files named by them would meet older ones
  const dir = `/home/alice/t/slurm-${crypto.randomUUID().slice(0, 8)}`;
  await sh('/home/alice', 'mkdir -p "$0"', 'hpc', dir);
  return clusterIn(dir, image);
}

const PULL = `[ -f "$0" ] || { mkdir -p "\${0%/*}" && apptainer -q pull --no-https "$0.$$" "$1" && mv "$0.$$" "$0"; }`;

async function isReady(): Promise<boolean> {
  const idle = ['--noheader', '--states', 'idle,mixed,allocated,completing', '--format', '%D'];
  const nodes = await onHost('hpc', 'sinfo', '--partition', 'short', ...idle).catch(() => '');
  const counts = nodes.split('\n').map(Number);
  return counts.reduce((sum, count) => sum + count, 0) === 2;
}

/** As alice, with what a login has: her home and name. */
function sh(
  dir: string,
  text: string,
  on: LoginNode | ComputeNode = 'hpc',
  ...args: string[]
): Promise<string> {
  const surroundings = ['env', `--chdir=${dir}`, 'HOME=/home/alice', 'USER=alice'];
  const alice = ['setpriv', '--reuid=alice', '--regid=alice', '--init-groups'];
  return onHost(on, ...surroundings, ...alice, 'sh', '-c', text, ...args);
}

function clusterIn(dir: string, image: string): Cluster {
  const cluster: Cluster = {
    image,
    dir,
    sh: (text, on) => sh(dir, text, on),
    async submit(script, ...options) {
      const send = 'script=$1; shift; printf "%s\\n" "$script" | sbatch --parsable "$@"';
      return (await sh(dir, send, 'hpc', 'sh', script, ...options)).trim();
    },
    state: async (id) => (await sh(dir, 'squeue -h -r -t all -j "$0" -o %T', 'hpc', id)).trim(),
    async becomes(id, ...states) {
      let last = '';
      const reached = async (): Promise<boolean> => {
        last = await cluster.state(id);
        return states.includes(last);
      };
      await until(reached, () => `job ${id} in ${states.join(' or ')}, not ${last}`, 60_000);
    },
    async field(id, name) {
      const text = await sh(dir, 'scontrol show job -o "$0"', 'hpc', id);
      return new RegExp(`(?:^| )${name}=(\\S*)`).exec(text)?.[1] ?? '';
    },
    async daemon(verb, of) {
      await testbed('slurm', verb, ...(of === undefined ? [] : [of]));
    },
    async nodeFails(node) {
      await onHost('hpc', 'scontrol', 'update', `nodename=${node}`, 'state=down', 'reason=test');
      await until(isReady, () => `${node} is back`);
    },
    async set(...lines) {
      await testbed('slurm', 'set', ...lines);
    },
    async [Symbol.asyncDispose]() {
      await onHost('hpc', 'rm', '-rf', dir);
    },
  };
  return cluster;
}
