/**
 * Goal: a controller that is away, and a daemon that is killed meanwhile, end nothing and start nothing twice.
 * Method: the bed's cluster with real Slurm; a ledger counts the starts. TOWLINE_TEST_ALL=1 keeps it away for a minute.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { TAKES_ALL } from '../support/share.ts';
import { type Cluster, hpc } from '../support/slurm/cluster.ts';
import { until } from '../support/until.ts';

const AWAY_MS = TAKES_ALL ? 60_000 : 12_000;

let cluster: Cluster;
let daemon: TestDaemon;

beforeAll(async () => {
  cluster = await hpc();
  const keys = { scheduler: 'slurm', partition: 'long', queue_poll_min: '1s' };
  daemon = makeDaemon({ hosts: { hpc: { on: 'hpc', keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

it('the controller is away while jobs run, wait and are to be submitted, and the daemon is killed meanwhile', async () => {
  const task = (name: string, line: string, ...more: string[]): Promise<string> =>
    daemon.submit(
      ...['--bind', `${cluster.dir}:/ledger`, ...more, cluster.image, '--', 'sh', '-c'],
      `echo ${name} >>/ledger/starts; ${line}`,
    );
  const running = await task('running', 'echo up; until [ -e /ledger/go ]; do sleep 0.2; done');
  const waiting = await task('waiting', 'echo ran', '--sbatch-arg=--begin=now+20');
  const out = async (id: string): Promise<string> => (await daemon.cli('logs', id)).stdout;
  await until(async () => (await out(running)) === 'up\n', undefined, 60_000);
  await until(async () => (await daemon.show(waiting)).job !== undefined);
  await cluster.daemon('stop');
  const away = performance.now();
  try {
    const late = await task('late', 'echo late');
    await until(
      async () => (await daemon.show(late)).blocked?.reason === 'SLURM_UNAVAILABLE',
      undefined,
      60_000,
    );
    await daemon.kill('SIGKILL');
    await daemon.start();
    await until(() => performance.now() - away > AWAY_MS, undefined, AWAY_MS + 10_000);
    for (const [id, state] of [
      [running, 'running'],
      [waiting, 'launching'],
      [late, 'launching'],
    ] as const)
      expect((await daemon.show(id)).state).toBe(state);
    await cluster.sh('touch go');
    await cluster.daemon('start');
    expect((await daemon.cli('wait', running, waiting, late)).code).toBe(0);
    expect([await out(running), await out(waiting), await out(late)]).toEqual([
      'up\n',
      'ran\n',
      'late\n',
    ]);
  } finally {
    await cluster.daemon('start');
  }
  const starts = (await cluster.sh('sort starts')).trim().split('\n');
  expect(starts).toEqual(['late', 'running', 'waiting']);
});
