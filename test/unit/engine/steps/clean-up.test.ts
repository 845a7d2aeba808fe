/** Goal: only what the host says is removed counts as removed. Method: a fake host that gives each answer. */
import { expect, test } from 'vitest';
import { createCleanUp } from '../../../../src/engine/steps/clean-up.ts';
import { exitOf, TO_RUNNING } from '../../../support/builders.ts';
import { DAEMON, seatsOf } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { contextOf, TOKEN } from './context.ts';

async function clean(reply: string, hosts = 1) {
  const host = new FakeHost();
  host.on(/^removing/, () => reply);
  const step = createCleanUp({
    seats: await seatsOf(hosts === 0 ? [] : [[{}, host]]),
    daemonId: DAEMON,
  });
  const exit = { kind: 'exited', attempt: 1, exit: exitOf(0) } as const;
  const { context } = contextOf({ cleanup: 'always' }, ...TO_RUNNING, exit);
  return { news: step(context), host };
}

test('a directory that is gone is cleaned, in the root it was launched in', async () => {
  const { news, host } = await clean(`@ cleaned ${TOKEN}\n@ done`);
  expect(await news).toEqual({ kind: 'cleaned', attempt: 1 });
  expect(host.calls).toEqual([`removing ${TOKEN}`]);
  expect(host.scripts[0]).toContain('/home/alice/.towline/tasks/');
});

test.each([
  [`@ busy ${TOKEN}\n@ done`, 'something of it still runs'],
  [`@ failed ${TOKEN} not-ours\n@ done`, 'not-ours'],
])('%j is told with its reason and tried again', async (reply, why) => {
  const { news } = await clean(reply);
  await expect(news).rejects.toMatchObject({
    code: 'HOST_COMMAND_FAILED',
    message: expect.stringContaining(why),
  });
});

test('a host that is no longer configured is told by name', async () => {
  const { news } = await clean('', 0);
  await expect(news).rejects.toMatchObject({ code: 'HOST_UNKNOWN' });
});
