/** Several login nodes under a clock turned by hand: which is tried, which rests, what is told when none is left. */
import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode, type ErrorContext } from '../../../../src/domain/failure.ts';
import { fillDeps } from '../../../../src/remote/deps.ts';
import { HOST_TUNING, type HostSettings } from '../../../../src/remote/settings.ts';
import { LoginNodes } from '../../../../src/remote/ssh/login-nodes.ts';
import { noNodeLeft } from '../../../../src/remote/ssh/node-choice.ts';
import { Roads } from '../../../../src/remote/ssh/roads.ts';
import { turnedClock } from '../../../support/turned-clock.ts';

function settings(hostname: string): HostSettings {
  const lists = { identityFiles: [], jumps: [], knownHostsFiles: [] };
  return { ...HOST_TUNING, name: 'hpc', hostname, port: 22, user: 'u', ...lists };
}

type Outcome = 'ok' | ErrorCode | AppError;

function scene(...names: string[]) {
  const clock = turnedClock();
  const logged: string[] = [];
  const log = (level: string) => (fields: object) =>
    void logged.push(`${level} ${(fields as { node: string }).node}`);
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const host = fillDeps({ clock, logger });
  const [first = '', ...further] = names;
  const all = { ...settings(first), furtherNodes: further.map(settings) };
  const nodes = new LoginNodes(all, { host, roads: new Roads(host), onOpen: () => {} });
  /** Who was tried, and how it ended. */
  const connect = async (outcomes: Record<string, Outcome>): Promise<string> => {
    const tried: string[] = [];
    const ended = await nodes
      .connect(async ({ door }) => {
        const { hostname } = door.settings;
        tried.push(hostname);
        const outcome = outcomes[hostname] ?? 'ok';
        if (outcome === 'ok') return hostname;
        const context = { host: 'hpc', hostname };
        throw outcome instanceof AppError ? outcome : new AppError(outcome, hostname, { context });
      })
      .then(
        ({ link }) => link,
        (error: AppError) => error.code,
      );
    return `${tried.join(' ')}: ${ended}`;
  };
  return { clock, nodes, connect, logged };
}

const busy = (until: number): AppError =>
  new AppError('SSH_HOST_BUSY', 'busy', { context: { retryAt: until } });

describe('one attempt', () => {
  it('goes to the first node, and to the next one when that cannot be used', async () => {
    const { connect, nodes } = scene('a', 'b', 'c');
    expect(await connect({})).toBe('a: a');
    expect(await connect({ a: 'SSH_CONNECTION_REFUSED' })).toBe('a b: b');
    expect(nodes.current.name).toBe('b:22');
    expect(await connect({ a: 'SSH_HOST_UNREACHABLE', b: 'SSH_CONNECTION_LOST' })).toBe('a b c: c');
    expect(await connect({})).toBe('a: a');
  });

  it('ends with the failure that says what is to be done', async () => {
    const { connect, clock } = scene('a', 'b');
    expect(await connect({ a: 'SSH_CONNECTION_REFUSED', b: 'SSH_HOST_UNREACHABLE' })).toBe(
      'a b: SSH_CONNECTION_REFUSED',
    );
    expect(await connect({ a: busy(clock.now() + 1), b: 'SSH_HOST_UNREACHABLE' })).toBe(
      'a b: SSH_HOST_UNREACHABLE',
    );
  });

  it.each<ErrorCode>(['SSH_LOGIN_FAILED', 'SSH_LOGIN_ENDED', 'HOST_CALL_ABORTED', 'INTERNAL'])(
    '%s is no fault of a node: nobody else is tried',
    async (code) => {
      const { connect, nodes } = scene('a', 'b');
      expect(await connect({ a: code })).toBe(`a: ${code}`);
      expect(nodes.use(true)[0]?.trouble).toBeUndefined();
    },
  );

  it('does not go on when the host was closed meanwhile', async () => {
    const { nodes } = scene('a', 'b');
    const tried: string[] = [];
    const connecting = nodes.connect(async ({ name }) => {
      tried.push(name);
      nodes.close();
      throw new AppError('SSH_HOST_UNREACHABLE', 'late');
    });
    await expect(connecting).rejects.toThrow('late');
    expect(tried).toEqual(['a:22']);
  });

  it('of a host with one node gives its failure as it is, and nothing of nodes', async () => {
    const { nodes } = scene('a');
    const error = new AppError('SSH_HOST_KEY_CHANGED', 'changed');
    const failing = nodes.connect(() => Promise.reject(error));
    await expect(failing).rejects.toBe(error);
    expect(nodes.use(true)).toEqual([]);
  });
});

describe('a node that refused us', () => {
  it('is left alone for ten minutes while another serves, and is told loudly once', async () => {
    const { connect, nodes, clock, logged } = scene('a', 'b');
    expect(await connect({ a: 'SSH_HOST_KEY_CHANGED' })).toBe('a b: b');
    expect(nodes.use(true)).toMatchObject([
      {
        ...{ name: 'a:22', inUse: false },
        trouble: { code: 'SSH_HOST_KEY_CHANGED', hint: expect.stringContaining('host trust hpc') },
      },
      { name: 'b:22', inUse: true, trouble: undefined },
    ]);
    expect(await connect({})).toBe('b: b');
    await clock.turn(HOST_TUNING.refusedRetryMs);
    expect(await connect({ a: 'SSH_HOST_KEY_CHANGED' })).toBe('a b: b');
    expect(logged).toEqual(['warn a:22', 'debug a:22']);
  });

  it('is tried at once by the word of a person, and forgotten when its key was trusted', async () => {
    const { connect, nodes } = scene('a', 'b');
    await connect({ a: 'SSH_HOST_KEY_UNKNOWN' });
    nodes.rouse();
    expect(await connect({ a: 'SSH_HOST_KEY_UNKNOWN' })).toBe('a b: b');
    nodes.pardon([nodes.all[0] as never]);
    expect(nodes.use(true)[0]?.trouble).toBeUndefined();
    expect(await connect({})).toBe('a: a');
  });

  it('rests as long as its own budget says where it turned us away', async () => {
    const { connect, clock } = scene('a', 'b');
    expect(await connect({ a: busy(clock.now() + 5_000) })).toBe('a b: b');
    expect(await connect({ b: 'SSH_CONNECTION_LOST' })).toBe('b: SSH_CONNECTION_LOST');
    await clock.turn(5_000);
    expect(await connect({})).toBe('a: a');
  });

  it('is tried by itself alone when all rest: the one that may be asked first', async () => {
    const { connect, clock } = scene('a', 'b');
    expect(await connect({ a: 'SSH_AUTH_FAILED', b: busy(clock.now() + 9_000) })).toBe(
      'a b: SSH_HOST_BUSY',
    );
    expect(await connect({})).toBe('b: b');
  });
});

describe('the failure of all', () => {
  const fails = (code: ErrorCode, context: ErrorContext = {}): AppError =>
    new AppError(code, `words of ${code}`, { context });

  it.each<[string, AppError[], ErrorCode]>([
    ['refused', [fails('SSH_HOST_KEY_CHANGED'), fails('SSH_AUTH_FAILED')], 'SSH_HOST_KEY_CHANGED'],
    [
      'what may pass comes before a refusal',
      [fails('SSH_HOST_KEY_CHANGED'), fails('SSH_HOST_UNREACHABLE')],
      'SSH_HOST_UNREACHABLE',
    ],
    [
      'a login helps at once',
      [fails('SSH_HOST_UNREACHABLE'), fails('SSH_NEEDS_LOGIN')],
      'SSH_NEEDS_LOGIN',
    ],
  ])('%s', (_, errors, code) => {
    const failure = noNodeLeft('hpc', errors);
    expect(failure.code).toBe(code);
    for (const { message } of errors) expect(failure.message).toContain(message);
  });

  it('of nodes that all turn us away is that of the one to be asked soonest', () => {
    const failure = noNodeLeft('hpc', [
      fails('SSH_HOST_BUSY', { retryAt: 9 }),
      fails('SSH_HOST_BUSY', { retryAt: 5 }),
      fails('SSH_HOST_KEY_CHANGED'),
    ]);
    expect(failure.context['retryAt']).toBe(5);
  });
});

it('each node has a budget of its own', () => {
  const { nodes } = scene('a', 'b');
  const [a, b] = nodes.all;
  expect(a?.door.budget).not.toBe(b?.door.budget);
});

it('only the node in use keeps the address that was reached', () => {
  const { nodes } = scene('a', 'b');
  const [a, b] = nodes.all;
  if (a !== undefined) a.address = '192.0.2.1';
  expect([a?.door.pinnedAddress(), b?.door.pinnedAddress()]).toEqual(['192.0.2.1', undefined]);
  nodes.unpin();
  expect(a?.door.pinnedAddress()).toBeUndefined();
});
