/** Goal: what a network file system shows late is awaited for a bounded time. Method: a clock that only pauses turn on. */
import { expect, it } from 'vitest';
import { lookAgain, patienceMs } from '../../../src/engine/late-files.ts';

function clock() {
  let now = 0;
  const pause = async (ms: number): Promise<void> => void (now += ms);
  const { signal } = new AbortController();
  return { now: () => now, how: { patienceMs: 60_000, pause, signal } };
}

it.each(['nfs', 'lustre', 'gpfs', 'fhgfs', 'smb2', 'cifs', 'fuseblk', 'ceph', '', undefined])(
  'on %s it is a minute',
  (type) => expect(patienceMs(type)).toBe(60_000),
);

it.each(['ext2/ext3', 'xfs', 'btrfs', 'zfs', 'tmpfs', 'overlayfs'])('on %s a moment', (type) =>
  expect(patienceMs(type)).toBe(250),
);

it.each([0, 100, 3_000, 59_999])('what shows after %i ms is seen soon after', async (at) => {
  const { now, how } = clock();
  const found = await lookAgain(
    how,
    async () => now() >= at,
    (seen) => !seen,
  );
  expect(found).toBe(true);
  expect(now() - at).toBeLessThanOrEqual(10_000);
});

it('what never shows is given up in time, after a bounded number of looks', async () => {
  const { now, how } = clock();
  let looks = 0;
  const look = async () => void (looks += 1);
  await lookAgain(how, look, () => true);
  expect([now(), looks]).toEqual([60_000, 12]);
});

it('ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const pause = async () => controller.abort(new Error('enough'));
  const how = { patienceMs: 60_000, pause, signal: controller.signal };
  await expect(
    lookAgain(
      how,
      async () => 0,
      () => true,
    ),
  ).rejects.toThrow('enough');
});
