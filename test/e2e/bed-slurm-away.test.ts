/**
 * Goal: the controller of the cluster can be made to stand still and to be away, and what real Slurm does then is what
 * tests of Towline stand on. Method: Slurm's commands by themselves, as alice.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, hpc } from '../support/slurm/cluster.ts';
import { until } from '../support/until.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await hpc();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

it('takes a job while the controller does not answer, and loses nothing while it is away', async () => {
  const lasting = await cluster.submit(
    '#!/bin/sh\nuntil [ -e "go.$SLURM_JOB_ID" ]; do sleep 0.1; done',
  );
  await cluster.becomes(lasting, 'RUNNING');
  await cluster.daemon('hang');
  try {
    const sent = cluster.submit('#!/bin/sh\ntrue', '--job-name=lost-answer');
    await expect(sent).rejects.toThrow('Socket timed out on send/recv operation');
  } finally {
    await cluster.daemon('go-on');
  }
  await cluster.daemon('stop');
  try {
    expect(await cluster.sh('scontrol ping || :')).toContain('at hpc is DOWN');
    await expect(cluster.sh('squeue -h')).rejects.toThrow('Unable to contact slurm controller');
    await cluster.sh(`touch go.${lasting}`);
  } finally {
    await cluster.daemon('start');
  }
  await cluster.becomes(lasting, 'COMPLETED');
  let taken: string[] = [];
  const hasEnded = async (): Promise<boolean> => {
    taken = (await cluster.sh("squeue -h -t all -n lost-answer -o '%T|%j'")).split('\n');
    return taken.includes('COMPLETED|lost-answer');
  };
  await until(hasEnded, () => `it was taken once and ran: ${taken}`);
  expect(taken.filter((line) => line.endsWith('|lost-answer'))).toHaveLength(1);
});

it('fails a node, and with it what may not be requeued', async () => {
  const script = '#!/bin/sh\nexec sleep 100';
  const id = await cluster.submit(script, '--no-requeue', '--nodelist=hpcn2');
  await cluster.becomes(id, 'RUNNING');
  await cluster.nodeFails('hpcn2');
  await cluster.becomes(id, 'NODE_FAIL');
  expect(await cluster.field(id, 'Reason')).toBe('NodeDown');
  expect(await cluster.field(id, 'ExitCode')).toBe('0:1');
});
