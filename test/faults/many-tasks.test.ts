/** Goal: a daemon with ten thousand unfinished tasks starts, answers and works. No figures: scripts/bench has them. */
import { expect, test } from 'vitest';
import { makeDaemon } from '../support/daemon.ts';
import { fillWithTasks, manyTasksConfig } from '../support/many-tasks.ts';

const TASKS = 10_000;

test('a daemon with ten thousand unfinished tasks is ready, lists them all and runs another', async () => {
  await using daemon = makeDaemon({ more: manyTasksConfig() });
  await fillWithTasks(daemon.stateDir, TASKS);
  await daemon.start();
  const { stdout } = await daemon.cli('list', '--all', '--quiet');
  const ids = stdout.trimEnd().split('\n');
  expect(new Set(ids).size).toBe(TASKS);
  const ran = await daemon.run('echo', 'here');
  expect(ran).toMatchObject({ code: 0, stdout: 'here\n' });
  // What waits for a host says so once, not at every try of every task.
  expect(daemon.log().split('\n').length).toBeLessThan(TASKS);
  await daemon.kill();
});
