/** Goal: each reply of a launch becomes the one right piece of news, and only a reply does. Method: a fake host that says each of them. */

import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import type { TaskSpec } from '../../../../src/domain/task.ts';
import { createLaunch } from '../../../../src/engine/steps/launch.ts';
import { IMAGE, TO_RUNNING } from '../../../support/builders.ts';
import { DAEMON, seatsOf, someSettings } from '../../../support/engine-parts.ts';
import { FakeHost, ROOT } from '../../../support/fake-host.ts';
import { NO_JOBS } from '../../../support/no-jobs.ts';
import { contextOf } from './context.ts';

const RECORD = { format: 1, n: 'n1', pid: 7, start: '5', boot: 'boot', machine: 'machine' };
const record = (at: number): string => JSON.stringify({ ...RECORD, hostname: 'vm', at });
const TO_LAUNCH = TO_RUNNING.slice(0, 2);

const BIND = { source: '/data/a,b', target: '/d', readonly: true };

async function launch(reply: string | Error, image = IMAGE, spec: Partial<TaskSpec> = {}) {
  const host = new FakeHost();
  host.on(/^launching/, () => {
    if (reply instanceof Error) throw reply;
    return reply;
  });
  const step = createLaunch({
    ...NO_JOBS,
    seats: await seatsOf([[{}, host]]),
    daemonId: DAEMON,
    nonce: () => 'n1',
    settings: () => someSettings([]),
    now: () => 100_500,
  });
  const { context } = contextOf(spec, TO_LAUNCH[0] as never, {
    kind: 'image-ready',
    attempt: 1,
    image,
  });
  return { news: step(context), host };
}

test.each(['started', 'already'])(
  '"%s": it runs, with the record, the root and our own clock',
  async (word) => {
    const { news } = await launch(`@ ${word} ${record(100)}`);
    expect(await news).toEqual({
      kind: 'launched',
      attempt: 1,
      launch: {
        nonce: 'n1',
        pid: 7,
        startTicks: '5',
        bootId: 'boot',
        machineId: 'machine',
        hostname: 'vm',
        startedAt: 100_500,
        root: ROOT,
      },
    });
  },
);

test('what the host lacks is told by its name', async () => {
  const { news } = await launch('@ lacks 0', IMAGE, { binds: [BIND] });
  expect(await news).toMatchObject({
    kind: 'step-failed',
    failure: { code: 'BIND_SOURCE_MISSING', context: { path: '/data/a,b' } },
  });
});

test('a launch that worked long ago is told by the time of the host', async () => {
  const { news } = await launch(`@ already ${record(50)}`);
  expect(await news).toMatchObject({ launch: { startedAt: 50_000 } });
});

test.each([
  ['@ image-gone', { kind: 'image-gone' }],
  ['@ object-gone aa-0444', { kind: 'inputs-gone' }],
  ['@ cancelled', { kind: 'gone' }],
  [
    '@ input-gone /data/x',
    { kind: 'step-failed', failure: { code: 'STAGE_REMOTE_INPUT_MISSING' } },
  ],
  ['@ conflict', { kind: 'step-failed', failure: { code: 'LAUNCH_CONFLICT' } }],
])('%s becomes its news', async (reply, news) => {
  expect(await (await launch(reply)).news).toMatchObject({ attempt: 1, ...news });
});

test('a file of the user that is not there is told; it will not come by a pull', async () => {
  const mine = { reference: '/images/mine.sif', path: '/images/mine.sif' };
  const { news } = await launch('@ image-gone', mine);
  expect(await news).toMatchObject({ kind: 'step-failed', failure: { code: 'IMAGE_NOT_FOUND' } });
});

test.each<[string, string | Error, string]>([
  ['a race not yet decided', '@ lost', 'HOST_COMMAND_FAILED'],
  ['a host that could not', '@ failed no-directory', 'HOST_COMMAND_FAILED'],
  ['a full disk', '@ failed nospace', 'HOST_NO_SPACE'],
  ['noise', 'what?', 'HOST_REPLY_INVALID'],
  ['a lost link', new AppError('SSH_CONNECTION_LOST', 'gone'), 'SSH_CONNECTION_LOST'],
  ['silence', new AppError('HOST_COMMAND_TIMEOUT', 'no word'), 'HOST_COMMAND_TIMEOUT'],
])('%s is thrown, for the launch to be run again', async (_, reply, code) => {
  const { news } = await launch(reply);
  await expect(news).rejects.toMatchObject({ code });
});

test('one round trip does it all', async () => {
  const { news, host } = await launch(`@ started ${record(100)}`);
  await news;
  expect(host.calls).toEqual(['looking at host vm', 'launching task1.1']);
});
