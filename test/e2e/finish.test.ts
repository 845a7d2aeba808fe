/**
 * Goal: the command that the configuration names for the end of tasks is run here, with what `towline show` tells on its
 * stdin, unless a task wants none. Method: a real daemon and task; the command writes what it is given into a file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

test('on_finish of the configuration is run for a task, with the task on its stdin, and not for one that wants none', async () => {
  await using daemon = makeDaemon({
    defaults: {
      on_finish: `sh -c '[ -S "$TOWLINE_SOCKET" ] && cat >"$1.part" && mv "$1.part" "$1"' sh "$TOWLINE_TASK_NAME"`,
    },
  });
  // its socket is then that of the configuration
  await daemon.start({ TOWLINE_SOCKET: '' });
  const out = join(daemon.dir, "it's $1.json");
  const run = (name: string, ...options: string[]) =>
    daemon.cli('run', '--host', 'vm', '--name', name, ...options, MINI, '--', 'sh', '-c', 'exit 4');
  const unwanted = join(daemon.dir, 'unwanted');
  expect((await run(unwanted, '--no-on-finish')).code).toBe(4);
  expect((await run(out)).code).toBe(4);
  await until(
    () => existsSync(out),
    () => daemon.log(),
  );
  const told = JSON.parse(readFileSync(out, 'utf8')) as Record<string, unknown>;
  expect(told).toMatchObject({ name: out, state: 'failed', exitCode: 4, host: 'vm' });
  const shown = async () =>
    JSON.parse((await daemon.cli('show', '--json', String(told['id']))).stdout);
  await until(async () => (await shown()).onFinish.state === 'done');
  const { onFinish, ...rest } = await shown();
  expect(onFinish).toMatchObject({ state: 'done', exitCode: 0 });
  expect(told).toMatchObject({ id: rest.id, command: rest.command, failure: rest.failure });
  expect(existsSync(unwanted)).toBe(false);
});
