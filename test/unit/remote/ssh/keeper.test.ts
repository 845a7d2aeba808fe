/** The states of a link under a clock turned by hand: when it tries, what callers are told. */
import { expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../../../src/domain/failure.ts';
import { fillDeps } from '../../../../src/remote/deps.ts';
import { HOST_TUNING } from '../../../../src/remote/settings.ts';
import { LinkKeeper } from '../../../../src/remote/ssh/keeper.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

class FakeLink {
  closed = false;
  #lost: (error: AppError) => void = () => {};
  onLost(listener: (error: AppError) => void): void {
    this.#lost = listener;
  }
  close(): void {
    this.closed = true;
  }
  lose(): void {
    this.#lost(new AppError('SSH_CONNECTION_LOST', 'lost'));
  }
}

function scene() {
  const clock = turnedClock();
  const script: Array<ErrorCode | 'ok'> = [];
  const links: FakeLink[] = [];
  let tries = 0;
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
  const keeper = new LinkKeeper(settings, fillDeps({ clock, random: () => 1 }), async () => {
    tries += 1;
    const outcome = script.shift() ?? 'ok';
    if (outcome !== 'ok') throw new AppError(outcome, `try ${tries}`);
    const link = new FakeLink();
    links.push(link);
    return link;
  });
  const kinds: string[] = [];
  keeper.onState((state) => kinds.push(state.kind));
  return { clock, script, links, keeper, kinds, tries: () => tries };
}

it('connects once for many callers', async () => {
  const { keeper, links, kinds } = scene();
  const [first, second] = await Promise.all([keeper.demand(), keeper.demand()]);
  expect(first).toBe(second);
  expect([links.length, kinds]).toEqual([1, ['connecting', 'ready']]);
});

it('fails callers at once while unreachable and tries again with growing delays up to the cap', async () => {
  const { keeper, script, clock, tries } = scene();
  script.push(...Array<ErrorCode>(20).fill('SSH_HOST_UNREACHABLE'));
  await expect(keeper.demand()).rejects.toThrow('try 1');
  await expect(keeper.demand()).rejects.toThrow('try 1');
  expect(tries()).toBe(1);
  const delays: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const { state } = keeper;
    if (state.kind !== 'unreachable') throw new Error(state.kind);
    delays.push(state.nextTryAt - clock.now());
    await clock.turn(state.nextTryAt - clock.now());
  }
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

it('stays unreachable since the first failure until it is ready', async () => {
  const { keeper, script, clock, kinds } = scene();
  script.push('SSH_HOST_UNREACHABLE', 'SSH_CONNECTION_REFUSED');
  await expect(keeper.demand()).rejects.toThrow('try 1');
  const since = clock.now();
  await clock.turn(500);
  expect(keeper.state).toMatchObject({
    kind: 'unreachable',
    code: 'SSH_CONNECTION_REFUSED',
    since,
  });
  await clock.turn(1_000);
  expect(kinds).toEqual(['connecting', 'unreachable', 'unreachable', 'ready']);
});

it.each(['SSH_AUTH_FAILED', 'SSH_HOST_KEY_CHANGED', 'SSH_KEY_UNREADABLE'] as const)(
  'asks a host that refuses with %s again only after ten minutes, or on wake()',
  async (code) => {
    const { keeper, script, clock, tries } = scene();
    script.push(code, code);
    await expect(keeper.demand()).rejects.toThrow('try 1');
    expect(keeper.state).toMatchObject({ kind: 'refused', code });
    await clock.turn(599_000);
    expect(tries()).toBe(1);
    await clock.turn(1_000);
    expect(tries()).toBe(2);
    keeper.wake();
    expect(keeper.state.kind).toBe('connecting');
    await keeper.demand();
    expect([keeper.state.kind, tries(), clock.waiting()]).toEqual(['ready', 3, 0]);
  },
);

it('reconnects at once when a good link is lost, and keeps away when links keep breaking', async () => {
  const { keeper, links, clock, kinds } = scene();
  await keeper.demand();
  await clock.turn(20_000);
  links[0]?.lose();
  expect(links[0]?.closed).toBe(true);
  await clock.turn(0);
  expect(kinds).toEqual(['connecting', 'ready', 'connecting', 'ready']);
  links[1]?.lose();
  await clock.turn(0);
  expect(keeper.state).toMatchObject({ kind: 'unreachable', code: 'SSH_CONNECTION_LOST' });
  await expect(keeper.demand()).rejects.toThrow('lost');
  await clock.turn(1_000);
  expect(keeper.state.kind).toBe('ready');
});

it('closes a link that arrives after close()', async () => {
  const { keeper, links, clock } = scene();
  const waiting = keeper.demand();
  keeper.close();
  await expect(waiting).rejects.toThrow('was closed');
  expect(links[0]?.closed).toBe(true);
  expect([keeper.state.kind, clock.waiting()]).toEqual(['closed', 0]);
  await expect(keeper.demand()).rejects.toThrow('was closed');
});
