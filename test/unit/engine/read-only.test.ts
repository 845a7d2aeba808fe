/**
 * Goal: a daemon on a state that is not its own shows all of it and does nothing. Method: an engine over a
 * store with a queued and a running task; a host that must not be opened; every method of the door.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { ACTS } from '../../../src/engine/read-only.ts';
import type { Host } from '../../../src/remote/host.ts';
import { after, aTask, TO_RUNNING } from '../../support/builders.ts';
import {
  aPolicy,
  LOG,
  openBooks,
  someSettings,
  temporarySpool,
} from '../../support/engine-parts.ts';

async function clone() {
  const { store, ledger } = openBooks();
  await ledger.insert([aTask({}, 'queued'), aTask({}, 'running')]);
  for (const event of TO_RUNNING) await ledger.apply('running' as never, event);
  await store.setHostMode({ at: 1, host: 'vm', mode: 'draining' });
  const opened = vi.fn<() => Host>();
  const settings = someSettings([{ policy: aPolicy({ name: 'vm' }), open: opened }]);
  const engine = createEngine({
    ...{ store, spool: await temporarySpool(), settings, readOnly: true, log: LOG },
    ...{ now: () => 5_000, random: () => 0, randomBytes: (count) => new Uint8Array(count) },
  });
  onTestFinished(() => engine.stop());
  const before = store.counters();
  await engine.start();
  return {
    engine,
    store,
    settings,
    opened,
    before,
    running: after(aTask({}, 'running'), ...TO_RUNNING),
  };
}

test('it shows tasks, hosts and their modes, and opens no link', async () => {
  const { engine, opened, running } = await clone();
  const { service } = engine;
  const { tasks } = await service.list({ limit: 9 });
  expect(tasks.map(({ task }) => task.state.kind)).toEqual([running.state.kind, 'queued']);
  expect(service.hosts()).toMatchObject([
    { name: 'vm', mode: 'draining', link: { kind: 'closed' }, slots: { usedTasks: 1 } },
  ]);
  const shown = await service.host('vm', { probe: true });
  expect(shown.lastFailure).toMatchObject({ code: 'DAEMON_STATE_CLONED' });
  expect(await service.health()).toEqual({ readOnly: true });
  expect(opened).not.toHaveBeenCalled();
});

test.each(ACTS)('%s is refused with DAEMON_STATE_CLONED', async (name) => {
  const { engine } = await clone();
  const act = async () => (engine.service[name] as (...args: unknown[]) => unknown)('vm', {}, {});
  await expect(act()).rejects.toMatchObject({ code: 'DAEMON_STATE_CLONED' });
});

test('nothing is written: not at the start, not at a reload, not by a follower who leaves', async () => {
  const { engine, store, settings, before, opened } = await clone();
  await engine.reload({ ...settings, hosts: [...settings.hosts] });
  const signal = AbortSignal.timeout(10_000);
  const want = { offset: 0, follow: true, signal };
  for await (const chunk of await engine.service.logs('running', 'stdout', want)) expect(chunk);
  await expect(async () => {
    for await (const chunk of await engine.service.logs('running', 'runtime', want)) expect(chunk);
  }).rejects.toMatchObject({ code: 'DAEMON_STATE_CLONED' });
  expect(store.counters()).toEqual(before);
  expect(opened).not.toHaveBeenCalled();
});
