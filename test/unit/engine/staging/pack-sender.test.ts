/** Goal: a pack goes on with what an earlier upload left of it, also when that is all of it, and begins anew only where it cannot. */
import PQueue from 'p-queue';
import { expect, test } from 'vitest';
import { END_BYTES, packedBytes } from '../../../../src/engine/disk/ustar.ts';
import type { Seat } from '../../../../src/engine/seats.ts';
import { createPacker } from '../../../../src/engine/staging/pack-sender.ts';
import { packName } from '../../../../src/script/packs.ts';

const members = Array.from({ length: 9 }, (_, n) => ({
  ...{ name: `${'0'.repeat(63)}${n}-444`, sha256: '0', mode: 0o444, bytes: 1000 * n },
  label: `f${n}`,
}));
const pack = packName(members.map(({ name }) => name));
const whole = members.reduce((sum, { bytes }) => sum + packedBytes(bytes), END_BYTES);

/** From where the upload goes on, when so much of the pack is there. */
async function offsetFor(there: number | undefined): Promise<number[]> {
  const offsets: number[] = [];
  const host = {
    upload: async (_bytes: unknown, _path: string, { offset }: { offset: number }) =>
      void offsets.push(offset),
    run: async () => ({ output: '@ published\n' }),
  };
  const seat = { name: 'vm', host, transfers: new PQueue() } as unknown as Seat;
  const send = createPacker({
    ...{ seat, root: '/r', daemonId: 'd', nonce: () => 'n' },
    there: new Map(there === undefined ? [] : [[pack, there]]),
    // what it has is not looked at
    read: async function* () {
      yield* [];
    },
    onSent: () => {},
  });
  const { signal } = new AbortController();
  expect(await Promise.all(members.map((one) => send(one, signal)))).toEqual(
    members.map(() => true),
  );
  return offsets;
}

test.each([
  ['nothing', undefined, 0],
  ['a part', 700, 700],
  ['all but its end', whole - END_BYTES, whole - END_BYTES],
  ['all of it', whole, whole],
  ['more than it can be', whole + 1, 0],
])('%s is there', async (_what, there, offset) => {
  expect(await offsetFor(there)).toEqual([offset]);
});
