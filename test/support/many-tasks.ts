/**
 * A state directory with many tasks that are not finished, as a daemon left it: queued, held, on their
 * way and running, on a host that does not answer and on one that is paused.
 */
import { randomUUID } from 'node:crypto';
import type { Effect } from '../../src/domain/effects.ts';
import type { TaskState } from '../../src/domain/state.ts';
import type { Task, TaskId } from '../../src/domain/task.ts';
import { openStore } from '../../src/store/open.ts';
import { aSpec, IMAGE, LAUNCH } from './builders.ts';

/** The hosts of the tasks, to be configured by whoever opens the directory. */
const AWAY = 'away';
const PAUSED = 'paused';

/** The sections of those hosts; nothing listens on port 1. */
export function manyTasksConfig(): string {
  const where = ['hostname = 127.0.0.1', 'port = 1', 'user = alice'];
  return [AWAY, PAUSED].flatMap((host) => [`[host.${host}]`, ...where]).join('\n');
}

const BATCH = 1_000;

/** How tasks stand, over and over; the orders are those that the engine gave with the state. */
const MIX: { state: (host: string) => TaskState; orders: Effect['kind'][] }[] = [
  { state: () => ({ kind: 'queued', ...common() }), orders: [] },
  { state: () => ({ kind: 'queued', ...common() }), orders: [] },
  { state: () => ({ kind: 'held', ...common() }), orders: [] },
  { state: (host) => ({ kind: 'staging', ...common(), ...blockedOn(host) }), orders: ['stage'] },
  {
    state: (host) => ({
      kind: 'pulling',
      inputs: { files: [] },
      ...common(),
      ...blockedOn(host),
    }),
    orders: ['pull'],
  },
  ...Array.from({ length: 5 }, () => ({
    state: (host: string): TaskState => ({
      kind: 'running',
      image: IMAGE,
      launch: { ...LAUNCH, nonce: randomUUID().slice(0, 16) },
      ...common(),
      ...blockedOn(host),
    }),
    orders: ['watch' as const],
  })),
];

/** Fills a state directory that no daemon has open. */
export async function fillWithTasks(stateDir: string, count: number): Promise<void> {
  const { store } = await openStore({ stateDir });
  try {
    await store.setHostMode({ at: Date.now(), host: PAUSED, mode: 'paused' });
    for (let done = 0; done < count; done += BATCH) {
      const size = Math.min(BATCH, count - done);
      const tasks = Array.from({ length: size }, (_, index) => taskOf(done + index));
      await store.insert(
        tasks.map(({ task, effects }) => {
          const { id, state, submittedAt: at } = task;
          const event = {
            at,
            task: id,
            attempt: 1,
            kind: 'submitted',
            state: state.kind,
            data: {},
          };
          return { task, events: [event], effects };
        }),
      );
    }
  } finally {
    await store.close();
  }
}

function taskOf(index: number): { task: Task; effects: Effect[] } {
  const part = MIX[index % MIX.length];
  if (part === undefined) throw new Error('no mix');
  const host = Math.floor(index / MIX.length) % 4 === 0 ? PAUSED : AWAY;
  const task: Task = {
    id: randomUUID().replaceAll('-', '').slice(0, 26) as TaskId,
    spec: aSpec({
      host,
      name: `part ${index}`,
      command: { kind: 'text', text: `compute --part ${index} --of a-long-list --into result.txt` },
      env: { PART: String(index), OMP_NUM_THREADS: '4' },
      outputs: [{ pattern: 'result.txt', local: `/tmp/results/${index}.txt`, overwrite: false }],
      tags: { run: 'big' },
    }),
    state: part.state(host),
    history: [],
    version: 1,
    submittedAt: Date.now() - 1_000_000 + index,
  };
  return { task, effects: part.orders.map((kind) => ({ kind, attempt: 1 })) };
}

function common(): { attempt: number; since: number } {
  return { attempt: 1, since: Date.now() - 1_000_000 };
}

function blockedOn(host: string): Pick<TaskState & { kind: 'running' }, 'host' | 'blocked'> {
  const hint = `see: towline host doctor ${host}; tasks wait and go on by themselves`;
  const reason = host === PAUSED ? 'HOST_PAUSED' : 'SSH_CONNECTION_REFUSED';
  return { host, blocked: { host, reason, message: `host ${host} is away`, hint, since: 1 } };
}
