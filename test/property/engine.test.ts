/**
 * Goal: whatever order and pace things come in, the ledger holds what the store holds, nothing hostile is
 * let in as a local name, and shared acts are begun once and ended once. Method: random histories,
 * names and comings and goings.
 */
import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskEvent } from '../../src/domain/events.ts';
import { AppError } from '../../src/domain/failure.ts';
import { isEnded } from '../../src/domain/state.ts';
import type { TaskId } from '../../src/domain/task.ts';
import { createLedger } from '../../src/engine/ledger.ts';
import { createSharing } from '../../src/engine/sharing.ts';
import { matchOutput } from '../../src/engine/staging/match-outputs.ts';
import type { DirectoryEntry } from '../../src/remote/host.ts';
import { openMemoryStore } from '../contract/store-memory.ts';
import { aTask, exitOf, IMAGE, LAUNCH } from '../support/builders.ts';
import { entry } from '../support/fake-host.ts';

const failure = new AppError('IMAGE_PULL_FAILED', 'm').toRecord();
const attempt = fc.integer({ min: 1, max: 3 });
const blocked = { host: 'vm', reason: 'SSH_PROTOCOL', message: 'm', hint: 'h', since: 1 };
const event = fc.oneof(
  fc.record({
    kind: fc.constantFrom('cancel-asked', 'retry-asked', 'hold-asked', 'released', 'gc-asked'),
  }),
  fc.record({ kind: fc.constant('placed'), attempt, host: fc.constant('vm') }),
  fc.record({ kind: fc.constant('image-ready'), attempt, image: fc.constant(IMAGE) }),
  fc.record({ kind: fc.constant('launched'), attempt, launch: fc.constant(LAUNCH) }),
  fc.record({ kind: fc.constant('exited'), attempt, exit: fc.constantFrom(exitOf(0), exitOf(1)) }),
  fc.record({ kind: fc.constant('blocked'), attempt, blocked: fc.constant(blocked) }),
  fc.record({ kind: fc.constantFrom('gone', 'cleaned', 'unblocked', 'image-gone'), attempt }),
  fc.record({
    kind: fc.constantFrom('died', 'step-failed'),
    attempt,
    failure: fc.constant(failure),
  }),
) as fc.Arbitrary<TaskEvent>;

const IDS = ['one', 'two', 'three'] as TaskId[];
const history = fc.array(fc.record({ id: fc.constantFrom(...IDS), event }), { maxLength: 40 });

test('after any history, memory and store agree, and each committed change was told once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (events) => {
      const store = openMemoryStore();
      const ledger = createLedger({ store, now: () => 0 });
      const seqs: number[] = [];
      const versions = new Map<TaskId, number>();
      ledger.onTold(({ task, events: told }) => {
        seqs.push(...told.map(({ seq }) => seq));
        expect(task.version).toBe((versions.get(task.id) ?? 0) + 1);
        versions.set(task.id, task.version);
      });
      const spec = { retries: 1, retryOn: ['exit' as const], cleanup: 'always' as const };
      await ledger.insert(IDS.map((id) => aTask(spec, id)));
      await Promise.allSettled(events.map(({ id, event: one }) => ledger.apply(id, one)));
      const stored = await store.loadLive();
      const live = [...ledger.live()];
      expect(new Set(live.map(({ id }) => id))).toEqual(new Set(stored.tasks.map(({ id }) => id)));
      for (const task of stored.tasks) {
        expect(ledger.get(task.id)).toEqual(task);
        const orders = stored.effects.filter((effect) => effect.task === task.id);
        expect(orders).toEqual(
          ledger.orders(task.id).map((order) => ({ ...order, task: task.id })),
        );
        if (isEnded(task.state)) expect(orders.every(({ kind }) => kind === 'clean')).toBe(true);
      }
      expect(seqs).toEqual(Array.from({ length: await store.lastSeq() }, (_, i) => i + 1));
      await store.close();
    }),
    { numRuns: 60 },
  );
});

const name = fc.oneof(
  fc.constantFrom('..', '.', '', '../x', 'a/b', '/etc', 'a\nb', '.hidden', '-rf', '~', '$(x)', '*'),
  fc.string({ maxLength: 12 }),
);
const tree = fc.array(
  fc.record({ name, kind: fc.constantFrom('file', 'directory', 'symlink', 'other') }),
  { maxLength: 5 },
) as fc.Arbitrary<Pick<DirectoryEntry, 'name' | 'kind'>[]>;

test('whatever names a host tells, no local name leaves the directory that was asked for', async () => {
  const pattern = fc.constantFrom('.', '*', '**', '**/*', 'a', 'a/*', '{a,..}/*', './a/../b', '.*');
  await fc.assert(
    fc.asyncProperty(tree, pattern, async (names, wanted) => {
      const list = async (path: string): Promise<DirectoryEntry[]> =>
        path.split('/').length > 3 ? [] : names.map((one) => entry(one.name, one.kind));
      const output = { pattern: wanted, local: '/home/out', overwrite: false };
      const matched = await matchOutput(output, list).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'OUTPUT_UNSAFE' });
      });
      for (const local of [
        ...(matched?.files ?? []).map((file) => file.local),
        ...(matched?.directories ?? []),
      ]) {
        expect(posix.normalize(local)).toBe(local);
        expect(local === '/home/out' || local.startsWith('/home/out/')).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('however wishes come and go, an act runs once at a time and nobody who stays is let down', async () => {
  const step = fc.oneof(
    fc.constant({ do: 'come' as const }),
    fc.record({ do: fc.constant('leave' as const), who: fc.nat(20) }),
    fc.constant({ do: 'finish' as const }),
    fc.constant({ do: 'tick' as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const share = createSharing();
      let running = 0;
      let finish = (): void => {};
      const act = (signal: AbortSignal): Promise<string> => {
        running += 1;
        expect(running).toBe(1);
        return new Promise<string>((resolve, reject) => {
          finish = () => resolve('done');
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }).finally(() => {
          running -= 1;
        });
      };
      const wishes: { left: boolean; controller: AbortController; result: Promise<string> }[] = [];
      const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      for (const one of steps) {
        if (one.do === 'come') {
          const controller = new AbortController();
          const result = share('k', controller.signal, act);
          result.catch(() => {});
          wishes.push({ left: false, controller, result });
        } else if (one.do === 'leave') {
          const wish = wishes[one.who % Math.max(1, wishes.length)];
          if (wish !== undefined) {
            wish.left = true;
            wish.controller.abort(new Error('left'));
          }
        } else if (one.do === 'finish') finish();
        else await tick();
      }
      for (let i = 0; i < 3; i += 1) {
        await tick();
        finish();
      }
      for (const { left, result } of wishes) {
        if (left) await result.catch(() => {});
        else expect(await result).toBe('done');
      }
      expect(running).toBe(0);
    }),
    { numRuns: 200 },
  );
});
