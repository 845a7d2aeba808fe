/** Goal: a host that stays away does not fill the log. Method: the states of an outage under a turned clock. */
import { expect, it } from 'vitest';
import { createLinkLog } from '../../../../src/remote/ssh/link-log.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

it('tells an outage once, reminds every ten minutes, and tells its end and other reasons at once', async () => {
  const clock = turnedClock();
  const lines: [string, unknown][] = [];
  const info = (fields: object, message: string): void =>
    void lines.push([message, (fields as { triesNotTold?: number }).triesNotTold]);
  const none = (): void => {};
  const tell = createLinkLog('vm', {
    clock,
    logger: { debug: none, info, warn: none, error: none },
  });
  const away = (code: string) =>
    tell({ kind: 'unreachable', since: 0, code, message: 'm', nextTryAt: 0 });
  tell({ kind: 'connecting', since: 0 });
  for (let n = 0; n <= 60; n += 1) {
    away('SSH_HOST_UNREACHABLE');
    await clock.turn(10_000);
  }
  away('SSH_CONNECTION_REFUSED');
  tell({ kind: 'ready', since: 0 });
  expect(lines).toEqual([
    ['link is connecting', undefined],
    ['link is unreachable', undefined],
    ['link is unreachable', 59],
    ['link is unreachable', undefined],
    ['link is ready', undefined],
  ]);
});
