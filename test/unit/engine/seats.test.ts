/** Goal: what is found at first contact is looked for once per connection, and a reload closes only what changed. Method: fake hosts. */
import { expect, test } from 'vitest';
import { createSeats } from '../../../src/engine/seats.ts';
import type { HostPolicy } from '../../../src/engine/settings.ts';
import type { Host } from '../../../src/remote/host.ts';
import { aPolicy, DAEMON, LOG, seatOf, seatsOf } from '../../support/engine-parts.ts';
import { FakeHost, probeReply, ROOT } from '../../support/fake-host.ts';

const entryOf = (host: Host, more: Partial<HostPolicy> = {}) => ({
  policy: aPolicy({ name: host.name, ...more }),
  open: () => host,
});

test('first contact is made once for all who ask, and again on the next connection', async () => {
  const host = new FakeHost();
  const seat = await seatOf(host);
  expect(seat.knownFacts()).toBeUndefined();
  await Promise.all([seat.facts(), seat.facts(), seat.ready()]);
  await seat.facts();
  expect(host.count(/^looking at host/)).toBe(1);
  host.setLink({ kind: 'connecting', since: 1 });
  expect(seat.knownFacts()).toMatchObject({ root: ROOT });
  await seat.facts();
  expect(host.count(/^looking at host/)).toBe(2);
});

test('how far the clock of the host is from ours is found out', async () => {
  const host = new FakeHost();
  host.on(/^looking at host/, () => probeReply({ clockMs: '61000' }));
  expect(await (await seatOf(host)).facts()).toMatchObject({ clockSkewMs: 60_000 });
});

test('a first contact that failed is told, kept for the report, and made again', async () => {
  const host = new FakeHost();
  let refuse = true;
  host.on(/^looking at host/, () =>
    refuse ? '@ refused it belongs to another user' : probeReply(),
  );
  const seat = await seatOf(host);
  await expect(seat.facts()).rejects.toMatchObject({ code: 'HOST_ROOT_INVALID' });
  expect(seat.lastFailure()).toMatchObject({ code: 'HOST_ROOT_INVALID' });
  refuse = false;
  await seat.facts();
  expect(seat.lastFailure()).toBeUndefined();
});

test('it is told when a host comes, goes and is known', async () => {
  const told: string[] = [];
  const host = new FakeHost();
  const seats = await seatsOf([[{}, host]], (name, ready) => told.push(`${name} ${ready}`));
  const gone = { since: 0, code: 'SSH_HOST_UNREACHABLE', message: 'm', nextTryAt: 1 };
  host.setLink({ kind: 'unreachable', ...gone });
  host.setLink({ kind: 'connecting', since: 0 });
  host.setLink({ kind: 'ready', since: 0 });
  await seats.get('vm').facts();
  expect(told).toEqual(['vm false', 'vm true', 'vm true']);
});

test('a reload opens what is new, closes what is gone or changed, and keeps the rest', async () => {
  const [same, changed, gone, anew] = ['same', 'changed', 'gone', 'anew'].map(
    (n) => new FakeHost(n),
  );
  const modeOf = () => 'open' as const;
  const held = () => [];
  const seats = createSeats({
    daemonId: DAEMON,
    log: LOG,
    now: () => 0,
    modeOf,
    held,
    onLink: () => {},
  });
  await seats.reload([entryOf(same as Host), entryOf(changed as Host), entryOf(gone as Host)]);
  const kept = seats.get('same');
  const next = new FakeHost('changed');
  await seats.reload([
    entryOf(same as Host),
    entryOf(next, { maxTasks: 3 }),
    entryOf(anew as Host),
  ]);
  expect(seats.get('same')).toBe(kept);
  expect(seats.get('changed').policy.maxTasks).toBe(3);
  expect(
    seats
      .all()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['anew', 'changed', 'same']);
  expect([same, changed, gone].map((host) => host?.linkState().kind)).toEqual([
    'ready',
    'closed',
    'closed',
  ]);
  expect(() => seats.get('gone')).toThrow(expect.objectContaining({ code: 'HOST_UNKNOWN' }));
  await seats.close();
  expect(next.linkState().kind).toBe('closed');
});

test('an attempt’s directory is below the root it was launched in', async () => {
  const seat = await seatOf(new FakeHost());
  expect(seat.attemptDir('/old/root', 'task.2' as never)).toBe(`/old/root/tasks/${DAEMON}/task.2`);
});
