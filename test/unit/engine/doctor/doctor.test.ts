/** Goal: findings come in order, each once; after a failure the rest says why it was not looked at. */
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import type { Finding } from '../../../../src/domain/finding.ts';
import { examine } from '../../../../src/engine/doctor/doctor.ts';
import { SECTIONS, sectionsOf } from '../../../../src/engine/doctor/sections.ts';
import { slurmJobs } from '../../../../src/host-settings.ts';
import { aPolicy } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { aPolicy as aSlurm } from '../../scheduler/slurm/policy.ts';
import { goodLink } from './cases.ts';

const IDS = SECTIONS.map(({ id }) => id);
const REPLY = `@ fact user alice
@ fact uid 1000
@ fact home /home/alice
@ fact hostname vm
@ fact clockMs 100000
@ fact root /home/alice/.towline
@ fact rootKind absent
@ fact anchor /home/alice
@ fact canMake 1
@ fact canFill 1
@ fact runtimePath /usr/bin/apptainer
@ fact runtimeVersion apptainer version 1.4.5
@ fact fuseDevice usable
@ tool setsid 1
@ rc /home/alice/.bashrc
@ rc /home/alice/.ssh/rc
@ loud 2:echo hi
@ done`;
const RAN = '@ made /x/tiny.sif\n@ code 0\n@ ms 90\n@ done';

async function findingsOf(host: FakeHost, type: 'ssh' | 'local' = 'ssh'): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of examine({ host, policy: aPolicy({ type }), now: () => 100_500 }))
    findings.push(finding);
  return findings;
}

function wellHost(): FakeHost {
  const host = new FakeHost();
  host.link = goodLink();
  return host.on(/^examining/, () => REPLY).on(/^a container/, () => RAN);
}

it('tells every section once, in order, and closes its connection', async () => {
  const host = wellHost();
  const findings = await findingsOf(host);
  expect(findings.map(({ id }) => id)).toEqual(IDS);
  expect(findings.find(({ id }) => id === 'clock')?.detail).toBe('+0 s against this machine');
  expect(findings.at(-1)).toMatchObject({
    level: 'ok',
    detail: 'ran a tiny image made there in 90 ms',
  });
  expect(host.calls.at(-1)).toBe('inspected');
});

it('a link that fails leaves the rest unlooked at, with the reason', async () => {
  const host = new FakeHost();
  const failure = new AppError('SSH_CONNECTION_REFUSED', 'refused').toRecord();
  const { place, resolution } = goodLink();
  host.link = { place, resolution, tcp: { failure } };
  const findings = await findingsOf(host);
  // A host with one login node has nothing to tell of nodes.
  expect(findings.map(({ id }) => id)).toEqual(IDS.filter((id) => id !== 'nodes'));
  expect(findings.slice(2)).toEqual(
    findings.slice(2).map((one) => ({
      ...one,
      level: 'skipped',
      detail: 'not looked at: TCP port failed',
    })),
  );
  expect(host.calls).toEqual(['inspect', 'inspected']);
});

it('a host that answers nonsense, or nothing, is a finding and no error', async () => {
  const host = wellHost().on(/^examining/, () => 'rubbish');
  const findings = await findingsOf(host);
  expect(findings.find(({ id }) => id === 'shell')).toMatchObject({
    level: 'failure',
    code: 'HOST_REPLY_INVALID',
  });
  const late = wellHost().on(/^a container/, () => {
    throw new AppError('HOST_COMMAND_TIMEOUT', 'no answer');
  });
  expect((await findingsOf(late)).at(-1)).toMatchObject({
    level: 'failure',
    code: 'HOST_COMMAND_TIMEOUT',
  });
});

it('the file that prints comes first, and the line printed is looked for', async () => {
  const host = wellHost();
  host.link.shell = { found: { noise: '\n  hi there \n', stderr: '', firstAnswerMs: 1 } };
  const findings = await findingsOf(host);
  expect(findings.find(({ id }) => id === 'noise')?.cause).toBe(
    '/home/alice/.ssh/rc prints without a terminal, line 2:echo hi',
  );
  expect(host.scripts[0]).toContain("noise='hi there'");
});

it('this machine itself has no link', async () => {
  const host = wellHost();
  host.link = {};
  const findings = await findingsOf(host, 'local');
  expect(findings[0]).toMatchObject({
    level: 'skipped',
    detail: expect.stringContaining('itself'),
  });
  expect(findings.find(({ id }) => id === 'runtime')?.level).toBe('ok');
});

it('a login node is asked about its scheduler too, with a job of the words for all', async () => {
  let asked = '';
  const reply = `${REPLY.replace('@ done', '')}@ slurm missing
@ slurm version slurm-wlm 26.05.5
@ partition main Default=YES MaxTime=UNLIMITED State=UP
@ slurm listed
@ slurm accounting (null)
@ slurm trial 0 sbatch: Job 26 to start at 2026-11-29T06:05:31 a using 1 processors on nodes n1 in partition main
@ done`;
  const host = wellHost().on(/^examining/, ({ script }) => {
    asked = script;
    return reply;
  });
  const slurm = aSlurm({ partition: 'main', args: ["--comment=it's"] });
  const policy = aPolicy({ jobs: slurmJobs(slurm) });
  const findings: Finding[] = [];
  for await (const one of examine({ host, policy, now: () => 100_500 })) findings.push(one);
  expect(findings.map(({ id }) => id)).toEqual(sectionsOf(policy).map(({ id }) => id));
  expect(findings.length).toBe(SECTIONS.length + 4);
  expect(asked).toContain(
    `sbatch --test-only '--ntasks=1' '--partition=main' '--comment=it'\\''s' --wrap=:`,
  );
  const told = Object.fromEntries(findings.map(({ id, detail }) => [id, detail]));
  expect(told).toMatchObject({
    slurm: 'slurm-wlm 26.05.5',
    partitions: 'main (default, no time limit)',
    accounting:
      'off: how jobs ended is asked of squeue and scontrol, and what they used is not known',
    'trial-job':
      'Job 26 to start at 2026-11-29T06:05:31 a using 1 processors on nodes n1 in partition main',
    logout: 'the scheduler runs the tasks: nothing of them is here',
  });
});
