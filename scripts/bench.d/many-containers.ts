/**
 * Many container tasks of `true` on one host, from submit to the last one's end, against `xargs -P` of bare
 * `apptainer exec` on the host itself: no network, no files, no record of anything.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINI } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import type { Scenario } from './compare.ts';
import { openSsh } from './plain-ssh.ts';
import type { Size, Sized } from './size.ts';
import { imageOf, submitAll } from './submit-all.ts';
import { partsOfEach, usageOf } from './usage.ts';

const TASKS: Sized<number> = { whole: 500, short: 8 };
const SLOTS = 4;

export async function openManyContainers(size: Size): Promise<Scenario> {
  const tasks = TASKS[size];
  const daemon = makeDaemon({ vm: { max_tasks: String(SLOTS) } });
  await daemon.start();
  const ssh = await openSsh(daemon.dir);
  const image = await imageOf(daemon);
  const all = (): Promise<void> => submitAll(daemon, fileOf(daemon, tasks));
  const exec = `apptainer exec --containall --cleanenv ${image} true`;
  return {
    ours: { label: `Towline, ${tasks} tasks, max_tasks = ${SLOTS}`, run: all },
    theirs: {
      label: `\`xargs -P ${SLOTS}\` of \`apptainer exec\` on the host`,
      run: async () =>
        void (await ssh.run(`seq ${tasks} | xargs -P ${SLOTS} -n 1 sh -c '${exec}'`)),
    },
    async parts() {
      const usage = await usageOf(daemon, all);
      return partsOfEach(usage, tasks);
    },
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}

function fileOf(daemon: TestDaemon, tasks: number): string {
  const path = join(daemon.dir, 'tasks.ndjson');
  const line = JSON.stringify({ host: 'vm', image: MINI, command: ['true'] });
  writeFileSync(path, `${line}\n`.repeat(tasks));
  return path;
}
