/**
 * Goal: docs/from-dagonstar.md and docs/from-wdl-engine.md name every option of both systems, docs/slurm.md
 * those for jobs, and their examples work. Method: the lists of options as the two have them; each ini block through our loader, each
 * towline line through the tree of commands, which must know every word of it.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Cli } from '../../../src/cli/call.ts';
import { buildProgram } from '../../../src/cli/main.ts';
import { splitWords } from '../../../src/config/words.ts';
import { load } from './support.ts';

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');

const PAGES: Readonly<Record<string, readonly string[]>> = {
  'from-dagonstar.md': [
    ...['TaskType.APPTAINER', 'name', 'command', 'image', 'working_dir', 'remove'],
    ...['transversal_workflow', 'bind_paths', 'overlay_size', 'tmp_dir', 'ip', 'ssh_username'],
    ...['keypath', 'ssh_port', 'extra_args', 'partition', 'ntasks', 'memory', 'time', 'nodes'],
    ...['ntasks_per_node', 'comment', '[ssh] remote_ip', '[ssh] ssh_user', '[ssh] ssh_port'],
    ...['[batch] scratch_dir_base', '[batch] run_base', '[batch] remove_dir', '[batch] threads'],
    ...['[dagon_service] route', '[dagon_service] use', '[ftp_pub] ip', '[dagon_ip] ip'],
    ...['[slurm] partition', '[globus] clientid', '[globus] intermadiate_endpoint'],
    ...['[dynostore] host', '[dynostore] port', '[loggers]', '[handlers]', '[formatters]'],
    ...['setup-apptainer.sh', 'APPTAINER_CACHEDIR', 'APPTAINER_TMPDIR', 'APPTAINER_CMD'],
    ...['workflow:///TASK/path', 'DataMover', 'StagerMover', 'set_dry'],
  ],
  'slurm.md': [
    ...['--cpus', '--memory', '--gpus', '--time', '--partition', '--account', '--qos'],
    ...['--constraint', '--nodes', '--ntasks-per-node', '--short', '--fpga', '--sbatch-arg'],
    ...['partition_fpga', 'partition_gpu', 'partition_short', 'partition', 'max_cpus'],
    ...['max_memory', 'max_time', 'over'],
  ],
  'from-wdl-engine.md': [
    ...['interval', 'max_concurrency', 'default_slurm_partition', 'short_task_slurm_partition'],
    ...['gpu_slurm_partition', 'fpga_slurm_partition', 'default_lsf_queue', 'short_task_lsf_queue'],
    ...['gpu_lsf_queue', 'fpga_lsf_queue', 'max_cpu_per_task', 'max_memory_per_task'],
    ...['sbatch.args', 'sbatch.conditional', 'bsub.args', 'bsub.conditional', 'job_name_prefix'],
    ...['apptainer.executable', 'apptainer.image_cache_dir', 'apptainer.extra_args'],
    ...['task.container', 'task.shell', 'task.retries', 'task.cpu_limit_behavior'],
    ...['task.memory_limit_behavior', 'failure_mode', 'experimental_features_enabled'],
    ...['--containall --cleanenv', '--pwd /mnt/task/work', '/mnt/task/command', '/mnt/task/work'],
    ...['container_tmp', 'container_var_tmp', '--nv', 'apptainer.stdout', 'apptainer.stderr'],
    ...['apptainer_command', 'job_id', 'sbatch_command', 'max_retries', 'return_codes'],
  ],
};

function blocks(page: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...read(page).matchAll(fence)].map(([, text = '']) => text);
}

const silent = { isTTY: false, columns: 100, write: () => Promise.resolve() };
const io = { out: silent, err: silent, env: {}, cwd: '/', home: '/', user: '' };
const CLI: Cli = { version: '', io, afterDashes: undefined, exitCode: 0, closers: [], help: '' };

/** The command that the words name, and what it does not know of the rest. */
async function understood(line: string): Promise<{ verb: string; unknown: string[] }> {
  const split = splitWords(line);
  if (!('value' in split)) throw new Error(`${line}: ${split.problem}`);
  const [program, ...words] = split.value;
  expect(program).toBe('towline');
  let command: Command = await buildProgram(CLI);
  for (let next = find(command, words[0]); next !== undefined; next = find(command, words[0])) {
    command = next;
    words.shift();
  }
  const end = words.indexOf('--');
  // Wrong values of options are thrown here.
  const { operands, unknown } = command.parseOptions(end < 0 ? words : words.slice(0, end));
  const most = command.registeredArguments.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : command.registeredArguments.length;
  return { verb: command.name(), unknown: [...unknown, ...operands.slice(most)] };
}

const find = (command: Command, word: string | undefined): Command | undefined =>
  command.commands.find((one) => one.name() === word);

describe.each(Object.entries(PAGES))('%s', (page, options) => {
  it('names every option in the first column of a table', () => {
    const first = read(page)
      .split('\n')
      .flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
    const named = first.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(options.filter((option) => !named.includes(option))).toEqual([]);
  });

  it('has configuration that is taken as it stands', () => {
    const found = blocks(page, 'ini');
    expect(found.length).toBeGreaterThan(1);
    for (const text of found) expect(Object.keys(load(text).hosts)).toHaveLength(1);
  });

  it('has commands that the command line understands', async () => {
    const lines = blocks(page, 'sh').flatMap((text) => text.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const { verb, unknown } = await understood(line);
      expect([verb, unknown], line).toEqual([expect.not.stringMatching(/^towline$/), []]);
    }
  });
});

it('a word that no command knows is found', async () => {
  expect((await understood('towline run --gpuz 1 image -- true')).unknown).toContain('--gpuz');
  expect((await understood('towline host setup vm --instal')).unknown).toContain('--instal');
});

it('the two ways to write the host of the first page mean the same', () => {
  const [dagon = '', ours = ''] = blocks('from-dagonstar.md', 'ini');
  const { name, hostnames, user, port, root, links } = load(ours).hosts['ssh'] ?? {};
  expect(load(dagon).hosts['ssh']).toMatchObject({ name, hostnames, user, port, root, links });
});
