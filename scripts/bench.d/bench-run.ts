/**
 * The smallest task in a warm image, by Towline and by hand. By hand means one `ssh` over a connection
 * that is there already, with the same isolation, mounts and home; it stages nothing, keeps no record
 * and is gone with its connection.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { BED, type BenchDaemon, execute, IMAGE, onVm, startDaemon } from './bench-daemon.ts';
import { median, type Report } from './report.ts';

const SAMPLE = '{host="vm"}';

export async function benchRun(rounds: number): Promise<Report> {
  await using daemon = await startDaemon();
  const run = (): Promise<string> => daemon.cli('run', IMAGE, '--', 'true');
  await run();
  await using ssh = await openMaster(daemon);
  await ssh.exec();
  const before = await daemon.metrics();
  const ours: number[] = [];
  const byHand: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await timed(run));
    byHand.push(await timed(ssh.exec));
  }
  const after = await daemon.metrics();
  const each = (name: string): string =>
    (((after.get(name) ?? 0) - (before.get(name) ?? 0)) / rounds).toFixed(1);
  return {
    title:
      '`towline run` of `true` in a warm image beside `ssh` (ControlMaster) with the same `apptainer exec`',
    machine: `${cpus().length} processors, shared with other work; host and registry on the same machine`,
    rounds,
    ways: [
      { name: '`towline run`', ms: ours, processes: await processesOf(run) },
      { name: '`ssh … apptainer exec`', ms: byHand, processes: await processesOf(ssh.exec) },
    ],
    ratio: median(ours) / median(byHand),
    parts: [
      {
        name: 'start of the CLI (`towline version`)',
        value: await medianOf(() => daemon.cli('version')),
      },
      {
        name: 'a question to the daemon (`towline list`)',
        value: await medianOf(() => daemon.cli('list')),
      },
      { name: 'commits', value: each('towline_store_transactions_total') },
      { name: 'round trips to the host', value: each(`towline_host_shell_batches_total${SAMPLE}`) },
      { name: 'SFTP requests', value: each(`towline_host_sftp_requests_total${SAMPLE}`) },
      { name: 'logins', value: each(`towline_host_logins_total${SAMPLE}`) },
      { name: 'bytes sent to the host', value: each(`towline_host_bytes_sent_total${SAMPLE}`) },
    ],
  };
}

interface Master extends AsyncDisposable {
  exec: () => Promise<void>;
}

/** A connection as OpenSSH shares it, and a directory on the host as an attempt has one. */
async function openMaster(daemon: BenchDaemon): Promise<Master> {
  const control = join(daemon.dir, 'control');
  const options = ['-F', 'none', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'];
  const target = ['-i', `${BED}/id_ed25519`, '-p', '2210', 'alice@127.0.0.1'];
  const trust = [
    '-o',
    `UserKnownHostsFile="${BED}/known_hosts"`,
    '-o',
    'StrictHostKeyChecking=yes',
  ];
  const ssh = (...words: string[]) =>
    execute('ssh', [...options, ...trust, '-S', control, ...words]);
  await ssh('-M', '-f', '-N', ...target);
  const dir = `${daemon.root}/by-hand`;
  await ssh(...target, `mkdir -p ${dir}/work ${dir}/home ${dir}/tmp ${dir}/vartmp`);
  const images = await daemon.cli('image', 'list', 'vm', '--json');
  const image = (JSON.parse(images) as { images: { path: string }[] }).images[0]?.path ?? '';
  const mounts = [
    ['work', '/mnt/task/work'],
    ['tmp', '/tmp'],
    ['vartmp', '/var/tmp'],
  ].map(([name, at]) => `--mount type=bind,src=${dir}/${name},dst=${at}`);
  const command = `apptainer exec --pwd /mnt/task/work --containall --cleanenv --no-eval --home ${dir}/home:/mnt/task/home ${mounts.join(' ')} ${image} true`;
  return {
    exec: async () => void (await ssh(...target, command)),
    async [Symbol.asyncDispose]() {
      await ssh('-O', 'exit', ...target).catch(() => undefined);
    },
  };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

async function medianOf(act: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) times.push(await timed(act));
  return `${Math.round(median(times))} ms`;
}

/** The newest pid on the host before and after; threads count, the look itself too and is taken off. */
async function processesOf(act: () => Promise<unknown>): Promise<number> {
  const newest = async (): Promise<number> =>
    Number((await onVm('cat', '/proc/loadavg')).trim().split(' ').at(-1));
  const counts: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const [before, idle] = [await newest(), await newest()];
    await act();
    counts.push((await newest()) - idle - (idle - before));
  }
  return median(counts);
}
