/**
 * `towline run` of `true` in a warm image, against OpenSSH with a warm ControlMaster that runs the very
 * same run.sh on the host: the same runtime, flags, mounts and image, without anything of Towline.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MINI, onHost } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { median, type Scenario, timed } from './compare.ts';
import { openSsh } from './plain-ssh.ts';
import { usageOf } from './usage.ts';

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
  const ssh = await openSsh(daemon.dir);
  const theirs = async (): Promise<void> => void (await ssh.run('sh', script));
  return {
    ours: { label: '`towline run … -- true`', run: ours },
    theirs: { label: '`ssh` (ControlMaster) + the same `apptainer exec`', run: theirs },
    parts: () => partsOf(daemon, { ours, theirs }),
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
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
  const spent = await usageOf(daemon, ours);
  const idle = await processesBy(async () => {});
  return {
    'CLI start (`towline version`)': `${median(starts).toFixed(0)} ms (\`node -e 0\`: ${median(bare).toFixed(0)} ms)`,
    'commits of the store': String(spent.commits),
    'round trips of the control shell': String(spent.trips),
    'SFTP requests': String(spent.sftpRequests),
    'new logins': String(spent.logins),
    'processes and threads begun on the host': `${(await processesBy(ours)) - idle}`,
    'the same, plain ssh': `${(await processesBy(theirs)) - idle}`,
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
