/**
 * `towline run` of `true` in a warm image, against OpenSSH with a warm ControlMaster that runs the very
 * same run.sh on the host: the same runtime, flags, mounts and image, without anything of Towline.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HostCounters } from '../../src/remote/host.ts';
import { BED, MINI, onHost, SSH_PORT } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { hostCounters } from '../../test/support/host-counters.ts';
import { metrics } from '../../test/support/metrics.ts';
import { median, type Scenario, timed } from './compare.ts';

const execute = promisify(execFile);
const PART_ROUNDS = 5;

export async function openRunTrue(): Promise<Scenario> {
  const daemon = makeDaemon();
  await daemon.start();
  const ours = async (): Promise<void> => {
    const ran = await daemon.run('true');
    if (ran.code !== 0) throw new Error(`towline run ended with ${ran.code}: ${ran.stderr}`);
  };
  await ours();
  const script = await publishScript(daemon);
  const control = join(daemon.dir, 'ssh');
  const ssh = (...command: string[]) => execute('ssh', [...sshOptions(control), ...command]);
  await ssh('true');
  const theirs = async (): Promise<void> => void (await ssh('sh', script));
  return {
    ours: { label: '`towline run … -- true`', run: ours },
    theirs: { label: '`ssh` (ControlMaster) + the same `apptainer exec`', run: theirs },
    parts: () => partsOf(daemon, { ours, theirs }),
    async [Symbol.asyncDispose]() {
      await execute('ssh', [...sshOptions(control), '-O', 'exit']).catch(() => undefined);
      await daemon[Symbol.asyncDispose]();
    },
  };
}

function sshOptions(control: string): string[] {
  const options = {
    ControlMaster: 'auto',
    ControlPath: control,
    ControlPersist: '300',
    UserKnownHostsFile: join(BED, 'known_hosts'),
    BatchMode: 'yes',
  };
  const words = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return ['-F', 'none', '-i', join(BED, 'id_ed25519'), '-p', SSH_PORT, ...words, 'alice@127.0.0.1'];
}

/** Puts the task's own script and its empty directories on the host; gives the script's path. */
async function publishScript(daemon: TestDaemon): Promise<string> {
  const shown = await daemon.cli('script', '--json', '--host', 'vm', MINI, '--', 'true');
  const plan = JSON.parse(shown.stdout) as { attemptDir: string; files: Record<string, string> };
  const dir = plan.attemptDir;
  const make = 'mkdir -p "$0/work" "$0/home" "$0/tmp" "$0/vartmp" && printf %s "$1" >"$0/run.sh"';
  await onHost('vm', 'sh', '-c', make, dir, plan.files['run.sh'] ?? '');
  await onHost('vm', 'chown', '-R', 'alice:alice', dir);
  return `${dir}/run.sh`;
}

interface Ways {
  ours: () => Promise<void>;
  theirs: () => Promise<void>;
}

async function partsOf(
  daemon: TestDaemon,
  { ours, theirs }: Ways,
): Promise<Record<string, string>> {
  const version = { run: async () => void (await daemon.cli('version')) };
  const node = { run: async () => void (await execute(process.execPath, ['-e', '0'])) };
  const starts = [];
  const bare = [];
  for (let round = 0; round < PART_ROUNDS; round += 1) {
    starts.push(await timed(version));
    bare.push(await timed(node));
  }
  const spent = await spentBy(daemon, ours);
  const idle = await processesBy(async () => {});
  return {
    'CLI start (`towline version`)': `${median(starts).toFixed(0)} ms (\`node -e 0\`: ${median(bare).toFixed(0)} ms)`,
    'commits of the store': spent.commits,
    'round trips of the control shell': spent.batches,
    'SFTP requests': spent.sftp,
    'new logins': spent.logins,
    'processes and threads begun on the host': `${(await processesBy(ours)) - idle}`,
    'the same, plain ssh': `${(await processesBy(theirs)) - idle}`,
  };
}

async function spentBy(
  daemon: TestDaemon,
  act: () => Promise<void>,
): Promise<Record<'commits' | 'batches' | 'sftp' | 'logins', string>> {
  const look = async (): Promise<[HostCounters, number]> => [
    await hostCounters(daemon),
    (await metrics(daemon))['towline_store_transactions_total'] ?? 0,
  ];
  const [before, commitsBefore] = await look();
  await act();
  const [after, commitsAfter] = await look();
  return {
    commits: String(commitsAfter - commitsBefore),
    batches: String(after.shellBatches - before.shellBatches),
    sftp: String(after.sftpRequests - before.sftpRequests),
    logins: String(after.logins - before.logins),
  };
}

/**
 * The newest pid of the host's namespace counts all that was begun there, threads too. Asking costs some
 * itself, and others may begin something: the median of some rounds.
 */
async function processesBy(act: () => Promise<void>): Promise<number> {
  const newest = async (): Promise<number> =>
    Number((await onHost('vm', 'cat', '/proc/loadavg')).trim().split(' ').at(-1));
  const counts: number[] = [];
  for (let round = 0; round < PART_ROUNDS; round += 1) {
    const before = await newest();
    await act();
    counts.push((await newest()) - before);
  }
  return median(counts);
}
