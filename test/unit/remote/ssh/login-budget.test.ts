/** The login budget under a clock turned by hand: turns, tokens, and staying away when told to. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../../../src/domain/failure.ts';
import { LoginBudget } from '../../../../src/remote/ssh/login-budget.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

const HALF_AN_HOUR = 1_800_000;

function scene(burst = 6, refillMs = 10_000) {
  const clock = turnedClock();
  const budget = new LoginBudget({ burst, refillMs }, clock, () => 0);
  /** Asks for one login that ends so, and gives the code it rejected with. */
  const ask = (code?: ErrorCode, mute = false): Promise<string> =>
    budget
      .admit(async (_, tellMute) => {
        if (mute) tellMute();
        if (code !== undefined) throw new AppError(code, 'told');
      })
      .then(
        () => 'ok',
        (error: unknown) => (error as AppError).code,
      );
  return { clock, budget, ask };
}

it('lets one login in at a time and waits for a token', async () => {
  const { clock, budget } = scene(2, 1_000);
  let inside = 0;
  let most = 0;
  let done = 0;
  const login = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await Promise.resolve();
    inside -= 1;
    done += 1;
  };
  const all = Promise.all(Array.from({ length: 4 }, () => budget.admit(login)));
  await clock.turn(500);
  expect(done).toBe(2);
  await clock.turn(1_000);
  expect(done).toBe(3);
  await clock.turn(1_000);
  await all;
  expect([done, most]).toEqual([4, 1]);
});

it('begins no login while sshd may still count the one before', async () => {
  const { clock, ask, budget } = scene();
  await ask();
  const second = ask();
  await clock.turn(199);
  expect(budget.use().usedLastHour).toBe(1);
  await clock.turn(1);
  expect(await second).toBe('ok');
});

it('gives the token of an attempt that the host never saw back', async () => {
  const { clock, budget } = scene(1, 1_000);
  const fail = budget.admit(async (unseen) => {
    unseen();
    throw new Error('refused');
  });
  await expect(fail).rejects.toThrow('refused');
  await budget.admit(async () => {});
  expect(clock.waiting()).toBe(0);
  expect(budget.use()).toMatchObject({ usedLastHour: 1, failed: 0, refused: 0, left: 0 });
});

it('makes no try while the host wants to be left alone, and stays away longer each time', async () => {
  const { clock, budget, ask } = scene();
  const waits: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    const asked = ask('SSH_HOST_BUSY');
    await clock.turn(200);
    expect(await asked).toBe('SSH_HOST_BUSY');
    const { nextAt = 0, refused } = budget.use();
    expect(refused).toBe(n + 1);
    waits.push(nextAt - clock.now());
    await clock.turn(nextAt - clock.now() - 1);
    // Whoever asks now is told at once, and nothing reaches the host.
    expect([await ask(), budget.use().refused]).toEqual(['SSH_HOST_BUSY', n + 1]);
    await clock.turn(1);
  }
  expect(waits.map((ms) => Math.ceil(ms / 1_000))).toEqual([5, 10, 20, 40, 80, 150, 150]);
  expect(await ask()).toBe('ok');
  await clock.turn(1_000);
  await ask('SSH_HOST_BUSY');
  expect((budget.use().nextAt ?? 0) - clock.now()).toBe(5_000);
});

it('tells a host that closes without a word from one that does so again and again', async () => {
  const { clock, ask } = scene();
  const codes: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const asked = ask('SSH_CONNECTION_LOST', true);
    await clock.turn(500);
    codes.push(await asked);
  }
  const [lost, busy] = ['SSH_CONNECTION_LOST', 'SSH_HOST_BUSY'];
  expect(codes).toEqual([lost, lost, busy, busy]);
});

it.each([1, 6, 20])(
  'never earns itself a ban by failed logins, with a burst of %i',
  async (burst) => {
    const { clock, ask } = scene(burst);
    // sshd adds five seconds for each and shuts the door at fifteen.
    let penalisedUntil = 0;
    let tries = 0;
    for (let n = 0; n < 30; n += 1) {
      void ask('SSH_AUTH_FAILED').then(() => {
        tries += 1;
        penalisedUntil = Math.max(penalisedUntil, clock.now()) + 5_000;
        expect(penalisedUntil - clock.now()).toBeLessThan(15_000);
      });
    }
    await clock.turn(HALF_AN_HOUR);
    expect(tries).toBe(30);
  },
);

it('says when the next login may be made', async () => {
  const { clock, budget, ask } = scene(2, 10_000);
  const wait = (): number => (budget.use().nextAt ?? clock.now()) - clock.now();
  await ask();
  expect([budget.use().left, wait()]).toEqual([1, 0]);
  const second = ask('SSH_AUTH_FAILED');
  await clock.turn(200);
  await second;
  expect([budget.use().left, wait()]).toEqual([0, 9_800]);
  const third = ask('SSH_AUTH_FAILED');
  await clock.turn(9_800);
  await third;
  expect(wait()).toBe(15_000);
});

it('counts what was used in the last hour only', async () => {
  const { clock, budget, ask } = scene();
  await ask();
  await clock.turn(3_599_000);
  await ask('SSH_AUTH_FAILED');
  expect(budget.use()).toMatchObject({ usedLastHour: 2, failed: 1 });
  await clock.turn(2_000);
  expect(budget.use().usedLastHour).toBe(1);
});

it('never begins more than burst + t / refill in any window, however logins end', async () => {
  const ends = fc.constantFrom<ErrorCode | undefined>(
    undefined,
    'SSH_AUTH_FAILED',
    'SSH_HOST_BUSY',
    'SSH_CONNECTION_LOST',
  );
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), ends), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const { clock, budget } = scene(3, 5_000);
      const begun: number[] = [];
      for (const [pause, code] of list) {
        budget
          .admit(async () => {
            begun.push(clock.now());
            if (code !== undefined) throw new AppError(code, 'told');
          })
          .catch(() => {});
        await clock.turn(pause);
      }
      await clock.turn(600_000);
      for (const [first, from] of begun.entries()) {
        for (const [last, to] of begun.entries()) {
          if (last < first) continue;
          expect(last - first + 1).toBeLessThanOrEqual(3 + Math.floor((to - from) / 5_000));
        }
      }
    }),
    { numRuns: 50 },
  );
});
