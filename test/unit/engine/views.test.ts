/** Goal: a report joins what is stored with what only the moment knows. Method: real ledger and spool, fake hosts. */
import { expect, test } from 'vitest';
import type { TaskId } from '../../../src/domain/task.ts';
import { createSubscribers } from '../../../src/engine/subscribers.ts';
import { createViews } from '../../../src/engine/views.ts';
import { aTask, exitOf, LAUNCH, TO_RUNNING } from '../../support/builders.ts';
import { DAEMON, openBooks, seatsOf, temporarySpool } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';

const ID = 'task1' as TaskId;

async function house() {
  const { ledger, store } = openBooks();
  const spool = await temporarySpool();
  const host = new FakeHost();
  const seats = await seatsOf([[{}, host]]);
  const subscribers = createSubscribers(store, () => 0);
  let nextTryAt: number | undefined;
  const dispatcher = { nextTryAt: () => nextTryAt } as never;
  const images = { nextTryAt: () => undefined } as never;
  const views = createViews({ spool, seats, dispatcher, images, subscribers, now: () => 0 });
  const report = async () => views.report(await ledger.find(ID));
  await ledger.insert([aTask({ cleanup: 'always' })]);
  const retryAt = (at: number): void => void (nextTryAt = at);
  return { ledger, spool, host, subscribers, report, retryAt };
}

test('streams are told with their bytes, and whole once they are sealed', async () => {
  const { ledger, spool, report } = await house();
  const none = { bytes: 0, complete: false };
  expect((await report()).streams).toEqual({ stdout: none, stderr: none });
  for (const event of TO_RUNNING) await ledger.apply(ID, event);
  const streams = spool.attempt('task1.1' as never);
  await streams.append('stdout', 0, Buffer.from('abc'));
  expect((await report()).streams.stdout).toEqual({ bytes: 3, complete: false });
  await streams.seal({ stdout: 3, stderr: 0 });
  expect((await report()).streams).toEqual({
    stdout: { bytes: 3, complete: true },
    stderr: { bytes: 0, complete: true },
  });
});

test('the directory on the host is told while there is one, in the root of the launch', async () => {
  const { ledger, report } = await house();
  expect((await report()).remoteDir).toBeUndefined();
  for (const event of TO_RUNNING) await ledger.apply(ID, event);
  expect((await report()).remoteDir).toBe(`${LAUNCH.root}/tasks/${DAEMON}/task1.1`);
  await ledger.apply(ID, { kind: 'exited', attempt: 1, exit: exitOf(0) });
  expect((await report()).remoteDir).toBeDefined();
  await ledger.apply(ID, { kind: 'cleaned', attempt: 1 });
  expect((await report()).remoteDir).toBeUndefined();
});

test('the next try is told, and progress while the task goes on', async () => {
  const { ledger, host, subscribers, report, retryAt } = await house();
  await ledger.apply(ID, { kind: 'placed', attempt: 1, host: 'vm' });
  subscribers.progress(ID, { step: 'pull', what: 'i', bytesDone: 5 });
  retryAt(77);
  expect(await report()).toMatchObject({ nextTryAt: 77, progress: { bytesDone: 5 } });
  retryAt(undefined as never);
  const away = { since: 0, code: 'SSH_HOST_UNREACHABLE', message: 'm' };
  host.setLink({ kind: 'unreachable', ...away, nextTryAt: 99 });
  expect((await report()).nextTryAt).toBe(99);
  await ledger.apply(ID, { kind: 'cancel-asked' });
  await ledger.apply(ID, { kind: 'gone', attempt: 1 });
  expect((await report()).progress).toBeUndefined();
});
