/** Goal: ids, times, places, pauses and descriptions of events are as the rest of the engine takes them. Method: values. */
import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { describeEvent } from '../../../src/engine/describe-event.ts';
import { momentOf } from '../../../src/engine/host-time.ts';
import { sleep } from '../../../src/engine/sleep.ts';
import { ID_CHARS, taskIdFrom } from '../../../src/engine/task-id.ts';
import { whereIs } from '../../../src/engine/where.ts';
import { after, aTask, exitOf, LAUNCH, TO_RUNNING } from '../../support/builders.ts';

test('task ids are 12 letters and digits that are not misread, the first one a letter, and do not repeat', () => {
  const ids = Array.from({ length: 2_000 }, () => taskIdFrom(randomBytes(16)));
  for (const id of ids) expect(id).toMatch(/^[a-hjkmnp-tv-z][a-hjkmnp-tv-z0-9]{11}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(taskIdFrom(new Uint8Array(16))).toHaveLength(ID_CHARS);
  expect(taskIdFrom(new Uint8Array(16).fill(255))).toMatch(/^[a-z]/);
});

test('a moment that is near is told by our own clock, one that is far by the host’s', () => {
  expect(momentOf(10_000, 10_900)).toBe(10_900);
  expect(momentOf(13_000, 10_000)).toBe(10_000);
  expect(momentOf(13_001, 10_000)).toBe(13_001);
  expect(momentOf(0, 10_000)).toBe(0);
});

test('an attempt is where it was placed, in the root it was launched in, also when it is past', () => {
  expect(whereIs(aTask(), 1)).toEqual({ host: undefined, root: undefined });
  const running = after(aTask({ retries: 1, retryOn: ['exit'] }), ...TO_RUNNING);
  expect(whereIs(running, 1)).toEqual({ host: 'vm', root: LAUNCH.root });
  const second = after(running, { kind: 'exited', attempt: 1, exit: exitOf(1) });
  expect(whereIs(second, 1)).toMatchObject({ host: 'vm', root: LAUNCH.root });
  expect(whereIs(second, 2)).toEqual({ host: undefined, root: undefined });
  expect(whereIs(second, 9)).toEqual({});
});

test('a pause ends at once by its signal, and leaves no listener behind', async () => {
  const controller = new AbortController();
  const long = sleep(3_600_000, controller.signal);
  controller.abort();
  await long;
  await sleep(3_600_000, controller.signal);
  const { signal } = new AbortController();
  await sleep(1, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('an event is told with what its state does not say already', () => {
  const running = after(aTask(), ...TO_RUNNING);
  expect(describeEvent(running, TO_RUNNING[0] as never, 5)).toMatchObject({
    at: 5,
    task: 'task1',
    attempt: 1,
    kind: 'placed',
    state: 'running',
    data: { host: 'vm' },
  });
  expect(describeEvent(aTask({ name: 'n' }), { kind: 'submitted' }, 0).data).toMatchObject({
    name: 'n',
    images: ['docker://mini:1'],
  });
  expect(describeEvent(running, { kind: 'cancel-asked' }, 0).data).toEqual({});
});
