/** Goal: a link is used for one transfer after the other, unless what it has under way is not wanted any more. */
import { expect, test } from 'vitest';
import { SYSTEM_CLOCK } from '../../../../src/remote/clock.ts';
import type { SftpSession } from '../../../../src/remote/sftp/session.ts';
import { TransferLinks } from '../../../../src/remote/ssh/transfer-links.ts';

function house() {
  const ended: string[] = [];
  let opened = 0;
  const links = new TransferLinks({
    ...{ max: 1, idleCloseMs: 60_000, clock: SYSTEM_CLOCK },
    open: async () => {
      opened += 1;
      const link = {
        session: {} as SftpSession,
        usable: true,
        close: end('closed'),
        drop: end('dropped'),
      };
      function end(how: string) {
        return (why: string): void => {
          link.usable = false;
          ended.push(`${how}: ${why}`);
        };
      }
      return link;
    },
  });
  return { links, ended, opened: () => opened };
}

test('the next transfer has the link of the one before', async () => {
  const { links, ended, opened } = house();
  await links.use(async () => {});
  await expect(links.use(async () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  await links.use(async () => {});
  expect([opened(), ended]).toEqual([1, []]);
  links.close('over');
});

test('a transfer that is given up takes its link with it', async () => {
  const { links, ended, opened } = house();
  const stop = new AbortController();
  const transfer = links.use(async () => {
    stop.abort(new Error('not wanted'));
    throw new Error('cut off');
  }, stop.signal);
  await expect(transfer).rejects.toThrow('not wanted');
  await links.use(async () => {});
  expect([opened(), ended[0]]).toEqual([2, 'dropped: its transfer was given up']);
  links.close('over');
});
