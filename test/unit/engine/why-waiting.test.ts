/** Goal: a task that is not placed says why. Method: hosts in every mode and state of the link. */
import { expect, test } from 'vitest';
import type { HostMode } from '../../../src/domain/host-mode.ts';
import type { Seat } from '../../../src/engine/seats.ts';
import { whyWaiting } from '../../../src/engine/why-waiting.ts';
import { aTask } from '../../support/builders.ts';
import { seatOf } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';

async function seat(
  name: string,
  mode: HostMode,
  more: { enabled?: boolean; away?: boolean } = {},
): Promise<Seat> {
  const host = new FakeHost(name);
  if (more.away === true) {
    host.setLink({
      kind: 'unreachable',
      since: 0,
      code: 'SSH_HOST_UNREACHABLE',
      message: 'm',
      nextTryAt: 1,
    });
  }
  return {
    ...(await seatOf(host, { enabled: more.enabled ?? true, tags: [name] })),
    mode: () => mode,
  };
}

test('of its hosts, the first that keeps it waiting; that there is no room only when one could take it', async () => {
  const seats = [
    await seat('paused', 'paused'),
    await seat('drained', 'draining'),
    await seat('off', 'open', { enabled: false }),
    await seat('away', 'open', { away: true }),
  ];
  const why = (spec: Parameters<typeof aTask>[0], of = seats) => whyWaiting(aTask(spec), of);
  expect(why({})).toMatchObject({ host: 'paused', reason: 'HOST_PAUSED' });
  expect(why({ host: 'drained' })).toMatchObject({ reason: 'HOST_DRAINING' });
  expect(why({ host: 'off' })).toMatchObject({ reason: 'HOST_DISABLED' });
  expect(why({ require: ['away'] })).toMatchObject({
    host: 'away',
    reason: 'SSH_HOST_UNREACHABLE',
  });
  expect(why({ host: 'paused' })?.hint).toContain('towline host resume paused');
  const open = await seat('open', 'open');
  expect(why({}, [...seats, open])).toMatchObject({ host: 'open', reason: 'TASK_WAITS_FOR_ROOM' });
  expect(why({ require: ['nowhere'] })).toBeUndefined();
  expect(
    whyWaiting({ ...aTask(), state: { kind: 'held', attempt: 1, since: 0 } }, seats),
  ).toBeUndefined();
});
