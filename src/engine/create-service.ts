/** The Service, put together from its parts: tasks (here), reading (views.ts), hosts and images (host-service.ts). */
import { createHash } from 'node:crypto';
import type { Task } from '../domain/task.ts';
import type { Spool } from '../spool/spool.ts';
import type { Store } from '../store/store.ts';
import { createAdmission } from './admission.ts';
import { checkSpec } from './check-spec.ts';
import { completePlan } from './complete-plan.ts';
import { type Entry, linkTogether, takenBy, withIds } from './dependencies.ts';
import type { Dispatcher } from './dispatcher.ts';
import { createGc } from './gc.ts';
import { lookAtHealth } from './health.ts';
import type { HostModes } from './host-modes.ts';
import { createHostService } from './host-service.ts';
import { createTrust } from './host-trust.ts';
import { createImageService } from './image-service.ts';
import type { ImageKeeper } from './images.ts';
import { createInside } from './inside.ts';
import { createInsideFiles } from './inside-files.ts';
import { refuseNotKept } from './kept-outputs.ts';
import { type Ledger, newTask } from './ledger.ts';
import { createLogs } from './logs.ts';
import { createMetrics } from './metrics.ts';
import type { Placer } from './placer.ts';
import { readOnlyService } from './read-only.ts';
import type { Seats } from './seats.ts';
import type { Service } from './service.ts';
import type { EngineSettings } from './settings.ts';
import type { Subscribers } from './subscribers.ts';
import { taskIdFrom } from './task-id.ts';
import { createViews } from './views.ts';
import { waitForEnd } from './wait-for-end.ts';
import type { Watchers } from './watchers.ts';

export interface ServiceDeps {
  store: Store;
  spool: Spool;
  ledger: Ledger;
  seats: Seats;
  modes: HostModes;
  placer: Placer;
  images: ImageKeeper;
  watchers: Watchers;
  subscribers: Subscribers;
  dispatcher: Dispatcher;
  settings: () => EngineSettings;
  stopping: () => boolean;
  readOnly: boolean;
  now: () => number;
  randomBytes: (count: number) => Uint8Array;
  /** Where uploads wait for their tasks. */
  uploadDir?: string | undefined;
  /** Free bytes of the disk that holds the state; undefined: not to be known. */
  freeBytes?: (() => Promise<number | undefined>) | undefined;
}

export function createService(deps: ServiceDeps): Service {
  const { ledger, store, subscribers, now } = deps;
  const views = createViews(deps);
  const logs = createLogs(deps);
  const inside = createInside(deps);
  const admission = createAdmission(deps);
  const { mayChange } = admission;

  async function submit(...[specs, idempotencyKey, documents]: Parameters<Service['submit']>) {
    await admission.admit();
    for (const spec of specs) await checkSpec(deps, spec);
    const entries = specs.map((spec) => ({ id: taskIdFrom(deps.randomBytes(16)), spec }));
    const linked = await withWholeIds(ledger, linkTogether(entries));
    const tasks = linked.map(({ id, spec }) => newTask(id, spec, now()));
    const digest = createHash('sha256').update(JSON.stringify(specs)).digest('hex');
    const key = idempotencyKey === undefined ? undefined : { key: idempotencyKey, digest };
    const result = await ledger.insert(tasks, key, deps.settings().limits.queue, documents);
    return { created: result.created, tasks: await Promise.all(result.tasks.map(views.report)) };
  }

  async function asked(
    id: string,
    kind: 'cancel-asked' | 'retry-asked' | 'hold-asked' | 'released',
  ) {
    mayChange();
    const task = await ledger.find(id);
    return views.report(await ledger.apply(task.id, { kind }));
  }

  const service: Service = {
    submit,
    admitUpload: admission.admit,
    async plan(spec) {
      await checkSpec(deps, spec);
      return completePlan(deps, spec);
    },
    get: async (id) => views.reportWhole(await ledger.find(id)),
    wait: async (id, options) => views.reportWhole(await waitForEnd(deps, { id, ...options })),
    async list(query) {
      const page = await store.listTasks(query);
      const current = (task: Task): Task => ledger.get(task.id) ?? task;
      const tasks = await Promise.all(page.tasks.map((task) => views.report(current(task))));
      return { tasks, unreadable: page.unreadable, cursor: page.cursor };
    },
    cancel: (id) => asked(id, 'cancel-asked'),
    async retry(id) {
      admission.refuseFullQueue();
      deps.images.forgetFailures((await ledger.find(id)).spec.images);
      return asked(id, 'retry-asked');
    },
    hold: (id) => asked(id, 'hold-asked'),
    release: (id) => asked(id, 'released'),
    logs: logs.read,
    async *events({ since, follow, task, signal }) {
      const found = task === undefined ? undefined : (await ledger.find(task)).id;
      yield* subscribers.follow({ since, follow, task: found, signal });
    },
    files: logs.files,
    async exec(id, request, options) {
      mayChange();
      return inside.exec(id, request, options);
    },
    ...createInsideFiles(deps),
    ...createHostService(deps),
    trust: createTrust(deps),
    ...createImageService(deps),
    ...{ gc: createGc(deps, mayChange), metrics: createMetrics(deps) },
    removals: (limit) => store.listRemovals(limit),
    documents: (query) => store.listDocuments(query),
    health: () => lookAtHealth(deps),
  };
  return deps.readOnly ? readOnlyService(service) : service;
}

/** What the tasks wait for is there, and named by its whole id. @throws TASK_NOT_FOUND TASK_INVALID */
function withWholeIds(ledger: Ledger, entries: readonly Entry[]): Promise<Entry[]> {
  const ours = new Set<string>(entries.map(({ id }) => id));
  return Promise.all(
    entries.map(async ({ id, spec }) => {
      const others = (spec.after ?? []).filter((word) => !ours.has(word));
      const found = new Map<string, Task>();
      for (const word of others) found.set(word, await ledger.find(word));
      for (const { task, path } of takenBy(spec)) {
        const other = found.get(task);
        if (other !== undefined) refuseNotKept(other, path);
      }
      return { id, spec: withIds(spec, (word) => found.get(word)?.id ?? word) };
    }),
  );
}
