/** Goal: a cancel is over when the host says that nothing is left, and not before. Method: a fake host that gives each answer. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskEvent } from '../../../../src/domain/events.ts';
import { createCancel } from '../../../../src/engine/steps/cancel.ts';
import { createWatchers } from '../../../../src/engine/watchers.ts';
import { exitOf, TO_RUNNING } from '../../../support/builders.ts';
import {
  DAEMON,
  LOG,
  seatsOf,
  someSettings,
  temporaryDirectory,
  temporarySpool,
} from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { NO_JOBS } from '../../../support/no-jobs.ts';
import { until } from '../../../support/until.ts';
import { contextOf, DIR, exitLine, statusReply, TOKEN } from './context.ts';

const OUTPUTS = [{ pattern: 'a', url: 's3://b0/a', overwrite: true }];
const ASKED: TaskEvent = { kind: 'cancel-asked' };

async function cancel(
  reply: string,
  events: TaskEvent[] = TO_RUNNING,
  more: { askAgainMs?: number; uploadDir?: string } = {},
) {
  const host = new FakeHost();
  host.on(/^cancelling/, () => reply);
  const spool = await temporarySpool();
  const step = createCancel({
    ...NO_JOBS,
    seats: await seatsOf([[{}, host]]),
    watchers: createWatchers({ spool, log: LOG }),
    spool,
    daemonId: DAEMON,
    nonce: () => 'n1',
    settings: () => someSettings([]),
    ...more,
  });
  const { context, controller } = contextOf({ outputs: OUTPUTS }, ...events, ASKED);
  const news = step(context);
  news.catch(() => {});
  return { news, host, spool, controller };
}

test('what was never published is gone without a word to the host', async () => {
  const { news, host } = await cancel('', TO_RUNNING.slice(0, 1));
  expect(await news).toEqual({ kind: 'gone', attempt: 1 });
  expect(host.calls).toEqual([]);
});

test.each(['cancelled-before-start', 'rebooted'])('"%s" is the end', async (word) => {
  const { news } = await cancel(`@ ${word}`);
  expect(await news).toMatchObject({ kind: 'gone', attempt: 1 });
});

test('while the killer is at work an exit record alone is not the end', async () => {
  const { news, host, spool } = await cancel('@ killing');
  host.files.set(`${DIR}/stdout`, Buffer.from('last words'));
  let killed = '';
  host.on(/running attempts/, () =>
    statusReply([`@ seen 0 there go${killed}`, exitLine({ code: 143, out: 10 })], 10),
  );
  await until(() => host.count(/running attempts/) > 3);
  killed = ' killed';
  expect(await news).toMatchObject({ kind: 'gone', exit: { code: 143, stdoutBytes: 10 } });
  expect(await spool.bytes(TOKEN as never)).toMatchObject({ stdout: 10 });
  expect(await spool.attempt(TOKEN as never).isComplete()).toBe(true);
});

test('an attempt that had ended by itself keeps its exit record', async () => {
  const { news, host } = await cancel('@ ended');
  host.on(/running attempts/, () => statusReply(['@ seen 0 there go', exitLine({ code: 3 })]));
  expect(await news).toMatchObject({ kind: 'gone', exit: { code: 3 } });
});

test('on another machine of the same file system nothing is concluded', async () => {
  const { news } = await cancel('@ elsewhere node7');
  await expect(news).rejects.toMatchObject({
    code: 'HOST_ROOT_UNAVAILABLE',
    message: expect.stringContaining('node7'),
  });
});

test.each(['@ failed no-root', 'what?'])('%j is tried again', async (reply) => {
  await expect((await cancel(reply)).news).rejects.toMatchObject({ retry: 'later' });
});

test('a killer that was killed itself leaves no mark: the host is asked again', async () => {
  const { news, host } = await cancel('@ killing', TO_RUNNING, { askAgainMs: 100 });
  let asked = 0;
  host.on(/^cancelling/, () => {
    asked += 1;
    return asked === 1 ? '@ killing' : '@ ended';
  });
  host.on(/running attempts/, () => statusReply(['@ seen 0 there go', exitLine({ code: 143 })]));
  expect(await news).toMatchObject({ kind: 'gone', exit: { code: 143 } });
  expect(asked).toBe(2);
});

test('what was brought for a storage goes with the attempt, also when the daemon that brought it was killed', async () => {
  const uploadDir = await temporaryDirectory();
  const landing = join(uploadDir, `${TOKEN}.out`);
  mkdirSync(landing);
  const exit = { kind: 'exited', attempt: 1, exit: exitOf(0) } as const;
  const { news } = await cancel('@ rebooted', [...TO_RUNNING, exit], { uploadDir });
  await news;
  expect(existsSync(landing)).toBe(false);
});
