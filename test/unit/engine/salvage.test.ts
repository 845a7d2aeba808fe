/** Goal: an attempt without a supervisor is judged by what lives and what it left. Method: a fake host that says both. */
import { expect, test } from 'vitest';
import { salvage } from '../../../src/engine/salvage.ts';
import { LAUNCH } from '../../support/builders.ts';
import { seatOf } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';

async function look(survivors: string, left = '@ left - - - 0 0 0 ') {
  const host = new FakeHost();
  host.on(/^looking for what lives/, () => survivors).on(/^reading what/, () => left);
  // A payload that lives is left alone for a while; nobody waits for that here.
  const signal = AbortSignal.abort();
  const seat = await seatOf(host);
  const found = salvage({ seat, token: 't.1' as never, dir: '/r/t.1', launch: LAUNCH, signal });
  return { found, host };
}

test.each(['@ elsewhere', '@ survivors 12 /', '@ survivors /13', '@ survivors 12 13 /14'])(
  '%j lives, and nothing is read of it yet',
  async (said) => {
    const { found, host } = await look(said);
    expect(await found).toEqual({ kind: 'alive' });
    expect(host.count(/^reading/)).toBe(0);
  },
);

test('what left no code is dead', async () => {
  expect(await (await look('@ survivors /')).found).toEqual({ kind: 'dead' });
});

test('what left its code has exited with it', async () => {
  const { found } = await look('@ survivors /', '@ left 7 - - 10 2 9 ');
  expect(await found).toMatchObject({
    kind: 'exited',
    exit: { code: 7, stdoutBytes: 10, stderrBytes: 2, salvaged: true },
  });
});

test.each(['@ failed no-directory', 'noise'])('%j decides nothing', async (said) => {
  await expect((await look(said)).found).rejects.toMatchObject({ code: 'HOST_REPLY_INVALID' });
});
