/** Carries out one act of a plan against the scene. What lasts is undone by itself; heal() undoes all that is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  crewOf,
  type HostProcess,
  listProcesses,
  sessionsOf,
  signal,
} from '../support/faults/host-processes.ts';
import { lookAtStore, type StoredTask } from './look.ts';
import { persist } from './persist.ts';
import type { Act, Kind } from './plan.ts';
import { HOST, type Scene } from './scene.ts';

/** What was hit: all of the run, all attempts of a task by its id, or one attempt by its token. */
export type Hit = { kind: Kind; whom: string };
export const ALL = '*';

interface Target {
  scene: Scene;
  act: Act;
  /** The task's id, once the daemon took it. */
  id: string;
}

type Injector = (target: Target) => Promise<string | undefined>;

/** Does it; undefined when there was nothing to hit. */
export async function inject(target: Target): Promise<Hit | undefined> {
  const { kind } = target.act;
  const whom = await INJECTORS[kind](target);
  return whom === undefined ? undefined : { kind, whom };
}

/** Ends all faults that may still last. */
export async function heal({ proxy, remoteDisk, localDisk, sshd }: Scene): Promise<void> {
  proxy.heal();
  const ours = await sessionsOf(HOST, sshd.port);
  await Promise.all([remoteDisk.free(), localDisk?.free(), signal(HOST, 'CONT', ours)]);
}

const INJECTORS: Record<Kind, Injector> = {
  'daemon-kill': global(({ scene }) => scene.kept.kill()),
  'daemon-stop': global(({ scene, act }) => scene.kept.freeze(act.forMs)),
  'supervisor-kill': onSupervisor((target) => hit('KILL', target)),
  'supervisor-stop': onSupervisor(freeze),
  'copier-kill': async (target) => {
    const token = tokenOf(running(target));
    if (token === undefined) return undefined;
    const copiers = crewOf(await listProcesses(HOST), token).filter(({ name }) => name === 'cat');
    const one = picked(copiers, target.act);
    if (one === undefined) return undefined;
    await signal(HOST, 'KILL', [one]);
    return token;
  },
  'session-kill': onSession('sshd-session', (target) => hit('KILL', target)),
  'session-stop': onSession('sshd-session', freeze),
  'sftp-stop': onSession('sftp-server', freeze),
  'link-cut': global(async ({ scene }) => scene.proxy.cut()),
  'reset-after-request': global(async ({ scene, act }) =>
    scene.proxy.resetAfter(1 + act.pick, 'requests'),
  ),
  'reset-after-reply': global(async ({ scene, act }) =>
    scene.proxy.resetAfter(1 + act.pick, 'replies'),
  ),
  'black-hole': link((scene) => scene.proxy.blackHole()),
  'lose-requests': link((scene) => scene.proxy.lose('requests')),
  'lose-replies': link((scene) => scene.proxy.lose('replies')),
  'remote-disk-full': global(async ({ scene, act }) => {
    await scene.remoteDisk.fill();
    await sleep(act.forMs);
    await scene.remoteDisk.free();
  }),
  'local-disk-full': async ({ scene, act }) => {
    if (scene.localDisk === undefined) return undefined;
    scene.kept.excuse(true);
    await scene.localDisk.fill();
    await sleep(act.forMs);
    await scene.localDisk.free();
    scene.kept.excuse(false);
    return ALL;
  },
  cancel: async ({ scene, id }) => {
    const answered = await persist(() => scene.client.cancel(id));
    return answered === undefined ? undefined : id;
  },
  retry: async ({ scene, id }) => {
    const answered = await persist(() => scene.client.retry(id));
    return answered === undefined ? undefined : id;
  },
};

function global(act: (target: Target) => Promise<void>): Injector {
  return async (target) => {
    await act(target);
    return ALL;
  };
}

function link(fail: (scene: Scene) => void): Injector {
  return global(async ({ scene, act }) => {
    fail(scene);
    await sleep(act.forMs);
    scene.proxy.heal();
  });
}

interface Aimed {
  act: Act;
  process: Pick<HostProcess, 'pid' | 'start'>;
}

/** The supervisor of the attempt that runs, by the pid and the start time in its own record. */
function onSupervisor(act: (aimed: Aimed) => Promise<void>): Injector {
  return async (target) => {
    const task = running(target);
    const token = tokenOf(task);
    if (task === undefined || token === undefined || !('launch' in task.state)) return undefined;
    const { launch } = task.state;
    if (launch === undefined) return undefined;
    await act({ act: target.act, process: { pid: launch.pid, start: launch.startTicks } });
    return token;
  };
}

function onSession(name: string, act: (aimed: Aimed) => Promise<void>): Injector {
  return async (target) => {
    const sessions = await sessionsOf(HOST, target.scene.sshd.port);
    const process = picked(
      sessions.filter((one) => one.name === name),
      target.act,
    );
    if (process === undefined) return undefined;
    await act({ act: target.act, process });
    return ALL;
  };
}

function hit(name: 'KILL', { process }: Aimed): Promise<void> {
  return signal(HOST, name, [process]);
}

async function freeze({ act, process }: Aimed): Promise<void> {
  await signal(HOST, 'STOP', [process]);
  await sleep(act.forMs);
  await signal(HOST, 'CONT', [process]);
}

function running({ scene, id }: Target): StoredTask | undefined {
  const task = lookAtStore(scene.daemon.stateDir)?.tasks.find((one) => one.id === id);
  return task?.state.kind === 'running' ? task : undefined;
}

function tokenOf(task: StoredTask | undefined): string | undefined {
  return task === undefined ? undefined : `${task.id}.${task.state.attempt}`;
}

function picked<T>(from: readonly T[], { pick }: Act): T | undefined {
  return from[pick % Math.max(1, from.length)];
}
