/** What is learnt of a host's channels, under a clock turned by hand. */
import { expect, it } from 'vitest';
import { ChannelCount } from '../../../../src/remote/ssh/channel-count.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

const DAY_MS = 86_400_000;

it('keeps what a refusal taught for the connections of a day, then tries anew', async () => {
  const clock = turnedClock();
  const channels = new ChannelCount(clock);
  expect([channels.limit(), channels.use().limit]).toEqual([Number.POSITIVE_INFINITY, undefined]);
  channels.refused(2);
  await clock.turn(DAY_MS - 1);
  expect(channels.use()).toMatchObject({ limit: 2, refused: 1 });
  await clock.turn(1);
  expect(channels.use().limit).toBeUndefined();
});

it('does not learn from a host that gives no channel at all', () => {
  const channels = new ChannelCount(turnedClock());
  channels.refused(0);
  expect(channels.use()).toMatchObject({ limit: undefined, refused: 1 });
});

it('counts what is open', () => {
  const channels = new ChannelCount(turnedClock());
  channels.connected(1);
  channels.opened(1);
  channels.opened(1);
  channels.opened(-1);
  expect(channels.use()).toMatchObject({ open: 1, connections: 1 });
});
