/** Our own way in the race of staging: a daemon whose events tell when a task had its inputs, and its outputs were here. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED, MINI, SSH_PORT } from '../../test/support/bed.ts';
import { makeDaemon } from '../../test/support/daemon.ts';
import { hostCounters } from '../../test/support/host-counters.ts';

export interface Staged {
  /** From the place on a host to all inputs there. */
  upMs: number;
  /** From the end of the command to all outputs here; nothing without any. */
  downMs: number;
  bytesSent: number;
}

export interface Ours extends AsyncDisposable {
  /** A task with this input; its command makes `out`, if that is wanted back. */
  stage(input: string, command: string, wanted: boolean): Promise<Staged>;
}

interface EventLine {
  task: string;
  kind: string;
  at: string;
}

export async function startOurs(port: number): Promise<Ours> {
  const pins = join(BED, `known_hosts_bench_${process.pid}`);
  const known = readFileSync(join(BED, 'known_hosts'), 'utf8');
  writeFileSync(pins, known.replaceAll(`:${SSH_PORT}`, `:${port}`));
  const daemon = makeDaemon({ vm: { port: String(port), known_hosts: pins } });
  await daemon.start();
  await daemon.run('true');
  let runs = 0;
  return {
    async stage(input, command, wanted) {
      runs += 1;
      const local = join(daemon.dir, `landed-${runs}`);
      const output = wanted ? ['--output', `out:${local}`] : [];
      const before = await hostCounters(daemon);
      const words = ['--input', input, ...output, MINI, '--', 'sh', '-c', command];
      const id = await daemon.submit(...words);
      const waited = await daemon.cli('wait', id);
      if (waited.code !== 0) throw new Error(`the task failed: ${waited.stdout}${waited.stderr}`);
      const { stdout } = await daemon.cli('events', '--json');
      const events = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as EventLine)
        .filter(({ task }) => task === id);
      const at = (kind: string): number =>
        Date.parse(events.find((event) => event.kind === kind)?.at ?? '');
      rmSync(local, { recursive: true, force: true });
      return {
        upMs: at('staged') - at('placed'),
        downMs: at('collected') - at('exited'),
        bytesSent: (await hostCounters(daemon)).bytesSent - before.bytesSent,
      };
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      rmSync(pins, { force: true });
    },
  };
}
