/** A link that only a person can make: who tries when, and what is never tried. */
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { fillDeps } from '../../../../src/remote/deps.ts';
import type { Ask } from '../../../../src/remote/host.ts';
import { HOST_TUNING } from '../../../../src/remote/settings.ts';
import { LinkKeeper } from '../../../../src/remote/ssh/keeper.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

const ask: Ask = async () => ['123456'];
const needs = (context = {}): AppError =>
  new AppError('SSH_NEEDS_LOGIN', 'asks for a code', { context: { host: 'vm', ...context } });

function scene() {
  const clock = turnedClock();
  const lost: ((error: AppError) => void)[] = [];
  const tries: string[] = [];
  /** Per kind of try: its outcome. */
  const outcomes: Record<string, AppError | 'ok' | 'interactive'> = {
    alone: needs(),
    asked: 'interactive',
  };
  const settings = {
    ...HOST_TUNING,
    name: 'vm',
    hostname: 'vm',
    port: 22,
    user: 'u',
    identityFiles: [],
    jumps: [],
    knownHostsFiles: [],
  };
  const keeper = new LinkKeeper(settings, fillDeps({ clock, random: () => 1 }), async (asked) => {
    const kind = asked === undefined ? 'alone' : 'asked';
    tries.push(kind);
    const outcome = outcomes[kind];
    if (outcome instanceof AppError) throw outcome;
    return {
      interactive: outcome === 'interactive',
      onLost: (listener: (error: AppError) => void) => void lost.push(listener),
      close: () => {},
    };
  });
  const lose = (): void => lost.at(-1)?.(new AppError('SSH_CONNECTION_LOST', 'lost'));
  return { clock, keeper, lose, tries, outcomes };
}

const A_DAY_MS = 86_400_000;

it('tries once, then waits for a person, whoever calls, wakes or looks', async () => {
  const { keeper, clock, tries } = scene();
  await expect(keeper.demand()).rejects.toThrow('asks for a code');
  expect(keeper.state).toMatchObject({ kind: 'needs-login', hint: 'towline host login vm' });
  expect('nextTryAt' in keeper.state).toBe(false);
  keeper.wake();
  await clock.turn(A_DAY_MS);
  await expect(keeper.demand()).rejects.toThrow('asks for a code');
  expect([tries, clock.waiting()]).toEqual([['alone'], 0]);
});

it('is ready by a login, and back where it was when that link is lost, without a try', async () => {
  const { keeper, clock, tries, lose } = scene();
  await keeper.demand().catch(() => {});
  await keeper.login(ask);
  expect(keeper.state.kind).toBe('ready');
  await clock.turn(A_DAY_MS);
  lose();
  expect(keeper.state).toMatchObject({ kind: 'needs-login', code: 'SSH_NEEDS_LOGIN' });
  await clock.turn(A_DAY_MS);
  expect(tries).toEqual(['alone', 'asked']);
});

it('is not tried again by itself after a login that failed, for whatever reason', async () => {
  const { keeper, clock, tries, outcomes } = scene();
  await keeper.demand().catch(() => {});
  outcomes['asked'] = new AppError('SSH_LOGIN_FAILED', 'wrong code');
  await expect(keeper.login(ask)).rejects.toThrow('wrong code');
  outcomes['asked'] = new AppError('SSH_HOST_UNREACHABLE', 'away');
  await expect(keeper.login(ask)).rejects.toThrow('away');
  expect(keeper.state).toMatchObject({ kind: 'needs-login', hint: 'towline host login vm' });
  await clock.turn(A_DAY_MS);
  expect(tries).toEqual(['alone', 'asked', 'asked']);
});

it('reconnects by itself a link that was made without an answer', async () => {
  const { keeper, clock, tries, outcomes, lose } = scene();
  await keeper.demand().catch(() => {});
  outcomes['asked'] = 'ok';
  outcomes['alone'] = 'ok';
  await keeper.login(ask);
  await clock.turn(A_DAY_MS);
  lose();
  await clock.turn(0);
  expect([keeper.state.kind, tries]).toEqual(['ready', ['alone', 'asked', 'alone']]);
});

it('goes on by itself when somebody logged in to the host in between, and only then', async () => {
  const { keeper, tries, outcomes } = scene();
  await keeper.demand().catch(() => {});
  keeper.wayIsOpen();
  expect(tries).toEqual(['alone']);
  const behind = scene();
  behind.outcomes['alone'] = needs({ jump: 'bastion' });
  await behind.keeper.demand().catch(() => {});
  behind.outcomes['alone'] = 'ok';
  behind.keeper.wayIsOpen();
  await behind.keeper.demand();
  expect([behind.keeper.state.kind, behind.tries]).toEqual(['ready', ['alone', 'alone']]);
  expect(outcomes['alone']).toBeInstanceOf(AppError);
});
