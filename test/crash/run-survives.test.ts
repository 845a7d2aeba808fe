/**
 * Goal: `towline run` outlives its daemon. Method: a command that prints numbered lines; the daemon is
 * killed when the first of them are here and started again while it still prints; the client must go on
 * without gap or repeat and end with the command's code.
 */
import { expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { COUNTED, runtimeStarts } from '../support/crash-task.ts';
import { finished, makeDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const LINES = 40;
const numbers = Array.from({ length: LINES }, (_, index) => index + 1);

test('a run goes on byte for byte over a kill of the daemon and ends with the code of its command', async () => {
  await using daemon = makeDaemon({ vm: COUNTED });
  await daemon.start();
  const payload = `for i in $(seq ${LINES}); do echo "line $i"; echo "remark $i" >&2; sleep 0.1; done; exit 7`;
  const run = daemon.spawnCli(['run', '--host', 'vm', MINI, '--', 'sh', '-c', payload]);
  let seen = '';
  run.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const ran = finished(run);
  await until(() => seen.includes('line 8\n'));
  await daemon.kill('SIGKILL');
  const before = seen;
  await daemon.start();
  expect(await ran).toEqual({
    code: 7,
    signal: null,
    stdout: numbers.map((i) => `line ${i}\n`).join(''),
    stderr: numbers.map((i) => `remark ${i}\n`).join(''),
  });
  expect(before).not.toContain(`line ${LINES}\n`);
  const { stdout } = await daemon.cli('list', '--quiet');
  expect(stdout.trim()).toMatch(/^\S+$/);
  expect(runtimeStarts(`${stdout.trim()}.1`)).toBe(1);
});
