/**
 * Goal: no commit, no remote act and no durable local write without a fault point before and after it,
 * so that the walk (test/crash) kills the daemon there, too. Method: each method of Host and Store is
 * called and listened to; which methods there are, and which files write, is read from the sources.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { EFFECT_KINDS } from '../../src/domain/effects.ts';
import type { Host } from '../../src/remote/host.ts';
import type { Store } from '../../src/store/store.ts';
import { readSources } from './sources.ts';

/** Let go of a host or ask for nothing there. */
const NO_ACT_ON_THE_HOST = ['close'];
const READS_OF_THE_STORE = [
  ...['getTask', 'findIds', 'loadLive', 'listTasks', 'listDocuments', 'listEvents', 'hostModes'],
  ...['lastSeq', 'eventsGone', 'listRemovals', 'knownHashes'],
  'close',
];

/** Files that change the local disk without a point of their own, and why that is right. */
const WITHOUT_POINT: Readonly<Record<string, string>> = {
  'api/socket.ts': 'within socket.listen',
  'engine/disk/part-files.ts': 'within output.fetch and output.publish',
  'engine/storage/http-storage.ts': 'within input.fetch',
  'engine/storage/s3-get.ts': 'within input.fetch',
  'engine/storage/s3-storage.ts': 'within input.fetch',
  'remote/local/local-files.ts': 'within remote.upload of the local host',
  'remote/ssh/trust-file.ts': 'its write is that of spool/write-durably.ts',
  'spool/stream-file.ts': 'within spool.append, or between the points of a checkpoint',
  'store/lock-state-dir.ts': 'within state.lock',
  'store/sqlite-errors.ts': 'a probe of the disk that leaves nothing',
  'store/state-dir.ts': 'within state.lock and store.open',
};

/** What changes a disk; reading through `open` is told from writing by the flags beside it. */
const CHANGES =
  /\b(rename|link|symlink|rm|unlink|mkdir|writeFile|appendFile|truncate|copyFile)(Sync)?\(|open\([^)]*'(wx?|ax?|r\+)'|O_CREAT/;

describe('each method', () => {
  const passed: string[] = [];
  beforeAll(() => {
    vi.stubEnv('TOWLINE_FAULT_TRACE', '1');
    vi.resetModules();
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      passed.push(/fault point (\S+) passed/.exec(String(text))?.[1] ?? '');
      return true;
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test.each(
    methodsOf('remote/host.ts', 'Host').filter((name) => !NO_ACT_ON_THE_HOST.includes(name)),
  )('Host.%s of what the daemon opens lies between two points', async (name) => {
    const { withFaultPoints } = await import('../../src/remote/wrap/fault-points.ts');
    const host = withFaultPoints(anything<Host>());
    expect(await pointsOf(host[name as keyof Host])).toEqual([
      `remote.${name}.before`,
      'the act',
      `remote.${name}.after`,
    ]);
  });

  test.each(methodsOf('remote/host-keys.ts', 'HostKeys'))(
    'HostKeys.%s lies between two points',
    async (name) => {
      const { withFaultPoints } = await import('../../src/remote/wrap/fault-points.ts');
      const { keys } = withFaultPoints({ ...anything<Host>(), keys: anything() });
      const points = await pointsOf(keys?.[name as 'pin' | 'offered']);
      expect(points).toEqual([`remote.${name}.before`, 'the act', `remote.${name}.after`]);
    },
  );

  test.each(
    methodsOf('store/store.ts', 'Store').filter((name) => !READS_OF_THE_STORE.includes(name)),
  )('Store.%s lies between two points', async (name) => {
    const { createStore } = await import('../../src/store/create-store.ts');
    const store = createStore({ ...anything(), opened: { daemonId: 'd' } as never });
    const points = await pointsOf(store[name as keyof Store], Object.assign([], { events: [] }));
    expect(points.map((point) => point.replace(/^commit\.[\w-]+/, 'commit.KIND'))).toEqual([
      ...['store.commit.before', 'commit.KIND.before', 'the act'],
      ...['commit.KIND.after', 'store.commit.after'],
    ]);
  });

  async function pointsOf(method: unknown, argument: unknown = []): Promise<string[]> {
    passed.length = 0;
    await (method as (...args: unknown[]) => Promise<unknown>)(argument, {}, {});
    return [...passed];
  }

  /** Every method of it is an act that is noted. */
  function anything<T extends object>(): T {
    const act = async (): Promise<object> => {
      passed.push('the act');
      return {};
    };
    const names = [...methodsOf('remote/host.ts', 'Host'), 'offered', 'pin', 'ask'];
    return Object.fromEntries(names.map((name) => [name, act])) as T;
  }
});

it('hosts are opened in one place, behind their points', () => {
  const opening = readSources().filter(({ text }) => /\bcreate(Ssh|Local)Host\(/.test(text));
  const own = ['remote/ssh/ssh-host.ts', 'remote/local/local-host.ts'];
  expect(opening.map(({ path }) => path).filter((path) => !own.includes(path))).toEqual([
    'host-settings.ts',
  ]);
  expect(sourceOf('host-settings.ts')).toContain('open: () => logged(withFaultPoints(openHost(');
});

it('every order is carried out between two points', () => {
  expect(EFFECT_KINDS.length).toBeGreaterThan(0);
  expect(sourceOf('engine/dispatcher.ts')).toContain('between(kind, () => steps[kind](');
});

it('whatever changes the local disk passes a point, or says why not', () => {
  const writers = readSources()
    .filter(({ path }) => !/^(cli|client|script|config)\//.test(path))
    .filter(({ text }) => /from 'node:fs/.test(text) && CHANGES.test(text))
    .filter(({ text }) => !/\b(between|reach)\(/.test(text))
    .map(({ path }) => path);
  expect(writers).toEqual(Object.keys(WITHOUT_POINT));
});

/** The methods of an interface that promise something, as its text has them. */
function methodsOf(path: string, name: string): string[] {
  const body = new RegExp(String.raw`export interface ${name} \{\n(.*?)\n\}`, 's').exec(
    sourceOf(path),
  );
  const text = (body?.[1] ?? '').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const methods = [...text.matchAll(/^ {2}(\w+)\(.*?\): (Promise)?/gms)];
  return methods.flatMap(([, method = '', promise]) => (promise === undefined ? [] : [method]));
}

function sourceOf(path: string): string {
  return readFileSync(join(import.meta.dirname, '../../src', path), 'utf8');
}
