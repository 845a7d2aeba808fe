/**
 * Goal: an attempt is submitted once for as long as nobody knows better, and what the user reads while it waits.
 * Method: the step with its watchers over a host that says what it is told to; no real time passes.
 */
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import type { JobRecord } from '../../../../src/domain/state.ts';
import { createJobWatch } from '../../../../src/engine/jobs/job-watch.ts';
import { createSubmitter } from '../../../../src/engine/jobs/submitter.ts';
import { createLaunch } from '../../../../src/engine/steps/launch.ts';
import { createWatchers } from '../../../../src/engine/watchers.ts';
import { slurmJobs } from '../../../../src/host-settings.ts';
import { IMAGE } from '../../../support/builders.ts';
import {
  DAEMON,
  LOG,
  seatsOf,
  someSettings,
  temporarySpool,
} from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { aPolicy } from '../../scheduler/slurm/policy.ts';
import { contextOf } from './context.ts';

const hex = (text: string): string =>
  Buffer.from(text).toString('hex').replace(/../g, '$& ').trim();
const RECORD =
  '{"format":1,"n":"12.0","pid":7,"start":"100","boot":"b","machine":"m","hostname":"n1","at":100}';
const TICKET = '@ host boot machine vm\n@ seen 0 there ticket';
const STARTED = '@ host boot machine vm\n@ seen 0 there';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Answers one after the other, the last for ever. */
function inTurn(...answers: (string | Error | (() => string))[]): () => string {
  let at = 0;
  return () => {
    const answer = answers[Math.min(at, answers.length - 1)] ?? '';
    at += 1;
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer() : answer;
  };
}

/** What looks see: those by the ticket alone, and in full. */
function ticketIs(host: FakeHost, isThere: () => boolean): void {
  const taken = (text: string): string => `@ taken ${/\S+$/.exec(text)?.[0] ?? ''}`;
  host.on(/^looking at \d+ tickets/, ({ script }) => (isThere() ? '' : taken(script)));
  host.on(/^looking at \d+ running/, () => (isThere() ? TICKET : STARTED));
}

function forLooks(count: number): () => boolean {
  let looks = 0;
  return () => (looks += 1) <= count;
}

async function house() {
  const host = new FakeHost('hpc');
  ticketIs(host, () => true);
  const seats = await seatsOf([[{ jobs: slurmJobs(aPolicy({ pollMinMs: 1 })) }, host]]);
  let nonces = 0;
  const nonce = (): string => `${(nonces += 1)}`.padStart(16, '0');
  const now = (): number => 100_500;
  const step = createLaunch({
    ...{ seats, daemonId: DAEMON, nonce, now, pause: soon, settings: () => someSettings([]) },
    watchers: createWatchers({ spool: await temporarySpool(), log: LOG, pause: soon }),
    jobWatch: createJobWatch({ log: LOG, pause: soon, now: inClock() }),
    submitter: createSubmitter({ daemonId: DAEMON, nonce, now, log: LOG }),
  });
  const launch = () => {
    const made = contextOf(
      {},
      { kind: 'placed', attempt: 1, host: 'hpc' },
      { kind: 'image-ready', attempt: 1, image: IMAGE },
    );
    return { ...made, news: step(made.context) };
  };
  return { host, launch };
}

/** Each look is a minute after the last. */
function inClock(): () => number {
  let at = 0;
  return () => (at += 60_000);
}

const name = (host: FakeHost): string =>
  /--job-name=([\w.-]*)/.exec(
    host.scripts.findLast((text) => text.includes('--job-name')) ?? '',
  )?.[1] ?? '';
const queue =
  (host: FakeHost, state: string, reason = 'None') =>
  () =>
    `@ job 12|${state}|${reason}|N/A||${name(host)}\n@ squeue 0 `;

test('it is published, submitted, told of, and launched when its ticket is taken', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, inTurn('@ published', `@ job b 0 12 0\n@ already ${RECORD}`));
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  host.on(/^asking/, queue(host, 'RUNNING'));
  ticketIs(host, forLooks(2));
  const { news, told } = launch();
  expect(await news).toMatchObject({
    kind: 'launched',
    launch: { nonce: '12.0', hostname: 'n1', job: { id: '12', name: name(host) } },
  });
  expect(told[0]).toMatchObject({ kind: 'job-submitted', job: { id: '12', index: 0 } });
  expect(host.count(/^submitting/)).toBe(1);
});

test('SLURM_PENDING: while it waits the user reads why', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, inTurn('@ published', `@ already ${RECORD}`));
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  let looks = 0;
  host.on(/^asking/, () => queue(host, 'PENDING', (looks += 1) < 3 ? 'Priority' : 'Resources')());
  ticketIs(host, () => looks < 5);
  const { news, troubles } = launch();
  await news;
  const said = troubles.flatMap((error) => (error === undefined ? [] : [error.message]));
  expect(troubles.find((error) => error !== undefined)?.code).toBe('SLURM_PENDING');
  expect(said).toContain('job 12 waits: Priority');
  expect(said).toContain('job 12 waits: Resources');
  expect(troubles.at(-1)).toBeUndefined();
});

test('an answer that was lost after it was accepted: the job is found by its name, and nothing is submitted again', async () => {
  const { host, launch } = await house();
  const lost = new AppError('SSH_CONNECTION_LOST', 'gone', { context: { host: 'hpc' } });
  host.on(
    /^launching/,
    inTurn('@ published', '@ job batch-1 0 - 0\n@ published', `@ already ${RECORD}`),
  );
  host.on(/^submitting/, inTurn(lost));
  await expect(launch().news).rejects.toMatchObject({ code: 'SSH_CONNECTION_LOST' });
  host.on(/^looking for job/, inTurn('@ asked squeue\n@ job 12|towline-batch-1\n@ asked nothing'));
  host.files.set(
    `/home/alice/.towline/tasks/${DAEMON}/.jobs/batch-1/command`,
    Buffer.from('sbatch job.sh\n'),
  );
  host.on(/^asking/, () => '@ job 12|RUNNING|None|N/A||towline-batch-1\n@ squeue 0 ');
  ticketIs(host, forLooks(1));
  expect(await launch().news).toMatchObject({
    kind: 'launched',
    launch: { job: { id: '12', name: 'towline-batch-1', command: 'sbatch job.sh' } },
  });
  expect(host.count(/^submitting/)).toBe(1);
});

test('SLURM_UNAVAILABLE: while queue and history cannot be asked nothing is submitted again; that neither knows it must be said twice', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, () => '@ job batch-1 0 - 0\n@ published');
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  host.on(/^looking for job/, inTurn('@ asked squeue'));
  await expect(launch().news).rejects.toMatchObject({ code: 'SLURM_UNAVAILABLE' });
  expect(host.count(/^submitting/)).toBe(0);
  host.on(/^launching/, inTurn('@ job batch-1 0 - 0\n@ published', `@ already ${RECORD}`));
  host.on(/^looking for job/, inTurn('@ asked squeue\n@ asked nothing'));
  host.on(/^asking/, () => '@ squeue 0 ');
  ticketIs(host, () => false);
  await launch().news;
  expect(host.count(/^looking for job/)).toBe(3);
  expect(host.count(/^submitting/)).toBe(1);
});

test('SLURM_NOT_STARTED: a job that ended without taking the ticket is followed by another', async () => {
  const { host, launch } = await house();
  const again = (): string => `@ job ${name(host).slice('towline-'.length)} 0 12 0\n@ published`;
  host.on(/^launching/, inTurn('@ published', again, again, `@ already ${RECORD}`));
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  host.on(/^asking/, queue(host, 'NODE_FAIL'));
  ticketIs(host, () => host.count(/^submitting/) < 2);
  const { news, troubles } = launch();
  expect(await news).toMatchObject({ kind: 'launched' });
  expect(host.count(/^submitting/)).toBe(2);
  expect(troubles.map((error) => error?.code)).toContain('SLURM_NOT_STARTED');
});

test.each([
  ['CANCELLED', 'SLURM_CANCELLED'],
  ['DEADLINE', 'SLURM_DEADLINE'],
])('a job that is %s before its start ends the attempt: %s', async (state, code) => {
  const { host, launch } = await house();
  host.on(/^launching/, () => '@ published');
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  host.on(/^asking/, queue(host, state));
  expect(await launch().news).toMatchObject({ kind: 'step-failed', failure: { code } });
  expect(host.count(/^submitting/)).toBe(1);
});

const answer = (stderr: string) => () => `@ submitted 1 - ${hex('')} / ${hex(stderr)}`;

test('SLURM_REFUSED ends the attempt, told as sbatch said it', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, () => '@ published');
  host.on(/^submitting/, answer('sbatch: error: invalid partition specified: nosuch'));
  const message = expect.stringContaining('invalid partition specified: nosuch');
  const failure = { code: 'SLURM_REFUSED', message };
  expect(await launch().news).toMatchObject({ kind: 'step-failed', failure });
});

test('SLURM_FULL is tried again later', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, () => '@ published');
  host.on(/^submitting/, answer('sbatch: error: QOSMaxSubmitJobPerUserLimit'));
  await expect(launch().news).rejects.toMatchObject({ code: 'SLURM_FULL' });
});

test('of a queue that answers nothing, an error or an old row nothing follows: it is waited for', async () => {
  const { host, launch } = await house();
  host.on(/^launching/, inTurn('@ published', `@ already ${RECORD}`));
  host.on(/^submitting/, () => `@ submitted 0 12 ${hex('12\n')} / `);
  const answers = [
    '@ squeue 0 ',
    '@ squeue 124 ',
    `@ squeue 1 ${hex('Unable to contact slurm controller')}`,
    '@ job 12|COMPLETED|None|N/A||somebody else\n@ squeue 0 ',
    'no lines of ours',
  ];
  let asked = 0;
  host.on(/^asking/, ({ script }) => {
    if (script.includes('scontrol'))
      return `@ show 12 1 ${hex('Unable to contact slurm controller')}`;
    asked += 1;
    return answers[asked % answers.length] ?? '';
  });
  ticketIs(host, () => asked < 20);
  expect(await launch().news).toMatchObject({
    kind: 'launched',
    launch: { job: { id: '12' } } satisfies { job: Partial<JobRecord> },
  });
  expect(host.count(/^submitting/)).toBe(1);
});
