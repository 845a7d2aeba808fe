/**
 * Goal: a command that is told to end can tidy up with the programs of its image until its grace is over.
 * Method: a payload that runs them when it hears TERM; their words must be there, and nothing else.
 */
import { expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { living } from '../support/crash-task.ts';
import { makeDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const PAYLOAD = `trap 'sort --version >/dev/null && sleep 1 && echo saved; exit 3' TERM
echo on; while :; do sleep 0.1 2>/dev/null; done`;

test.concurrent.each([
  ['cancelled', 'cancelled 3', []],
  ['at its time limit', 'failed 3', ['--time', '5s']],
])(
  'row 15: a command that is %s still has its image for its last words',
  async (how, end, args) => {
    await using daemon = makeDaemon({ defaults: { stop_grace: '20s' } });
    await daemon.start();
    const id = await daemon.submit('--host', 'vm', ...args, MINI, '--', 'sh', '-c', PAYLOAD);
    await until(async () => (await daemon.cli('logs', id)).stdout.startsWith('on\n'));
    if (how === 'cancelled') await daemon.cli('cancel', id);
    await daemon.cli('wait', id);
    const { state, exitCode } = await daemon.show(id);
    expect(`${state} ${exitCode}`).toBe(end);
    const { stdout, stderr } = await daemon.cli('logs', id);
    expect(stdout).toBe('on\nsaved\n');
    expect(stderr).not.toContain('not connected');
    // the watcher of the time looks once a second whether it is needed
    await until(async () => (await living(`${id}.1`)) === '');
  },
);
