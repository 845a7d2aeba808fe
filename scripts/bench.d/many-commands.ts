/**
 * Many tasks whose container runtime is a script that runs the command at once: what is left is Towline's own part.
 * Against GNU parallel, which runs the same script on the host over one connection (ControlMaster) in as many slots.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { type BareRuntime, installBareRuntime } from './bare-runtime.ts';
import type { Scenario } from './compare.ts';
import { openSsh, type PlainSsh } from './plain-ssh.ts';
import type { Size, Sized } from './size.ts';
import { submitAll } from './submit-all.ts';
import { partsOfEach, usageOf } from './usage.ts';

const TASKS: Sized<number> = { whole: 1_000, short: 16 };
const SLOTS = 8;

export async function openManyCommands(size: Size): Promise<Scenario> {
  const tasks = TASKS[size];
  const runtime = await installBareRuntime();
  const daemon = makeDaemon({
    vm: { max_tasks: String(SLOTS), runtime: runtime.path },
  });
  await daemon.start();
  const ssh = await openSsh(daemon.dir);
  const file = fileOf(daemon, runtime, tasks);
  return {
    ours: {
      label: `Towline, ${tasks} tasks, max_tasks = ${SLOTS}`,
      run: () => submitAll(daemon, file),
    },
    theirs: {
      label: `\`parallel -j ${SLOTS} --sshlogin\``,
      run: () => parallel(ssh, runtime, tasks),
    },
    async parts() {
      const usage = await usageOf(daemon, () => submitAll(daemon, file));
      const rate = (1_000 * tasks) / usage.wallMs;
      return { 'tasks a second': rate.toFixed(1), ...partsOfEach(usage, tasks) };
    },
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

function fileOf(daemon: TestDaemon, { image }: BareRuntime, tasks: number): string {
  const path = join(daemon.dir, 'tasks.ndjson');
  const line = JSON.stringify({ host: 'vm', image, command: ['true'] });
  writeFileSync(path, `${line}\n`.repeat(tasks));
  return path;
}

async function parallel(ssh: PlainSsh, { path, image }: BareRuntime, tasks: number): Promise<void> {
  const words = ['-j', String(SLOTS), '--ssh', `ssh ${ssh.options.join(' ')}`];
  const command = `${path} exec ${image} true {}`;
  const child = spawn('parallel', [...words, '--sshlogin', ssh.destination, command], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(Array.from({ length: tasks }, (_, index) => `${index}\n`).join(''));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`parallel ended with ${code}`);
}
