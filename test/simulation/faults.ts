/** What can go wrong, and what a person may ask meanwhile: one of these at a time, anywhere in a history. */
import type { TaskId } from '../../src/domain/task.ts';
import type { Daemon } from './model-daemon.ts';
import type { Host } from './model-host.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

export interface Scene {
  world: World;
  daemon: Daemon;
  network: Network;
  hosts: readonly Host[];
  ids: readonly TaskId[];
}

const WHILE_MS = [5_000, 60_000, 900_000] as const;
const YEAR_MS = 365 * 86_400_000;

type Fault = (scene: Scene, host: Host) => void;

/** Something on a host is so for a while. */
function forAWhile(kind: string, set: (host: Host, on: boolean) => void): Fault {
  return ({ world }, host) => {
    const ms = world.choices.pick(WHILE_MS);
    world.fault(kind, () => `${host.name} for ${ms / 1000} s`);
    set(host, true);
    world.later(ms, () => set(host, false));
  };
}

const FAULTS = {
  reset({ world, network }, host) {
    world.fault('link reset', () => host.name);
    network.reset(host);
  },
  crash({ world, daemon }) {
    if (!daemon.up) return;
    world.fault('daemon killed', () => 'kill -9');
    daemon.crash();
    world.later(world.choices.pick([100, 5_000, 300_000]), () => daemon.start());
  },
  partition({ world, network, daemon }, host) {
    const ms = world.choices.pick(WHILE_MS);
    world.fault('network away', () => `${host.name} for ${ms / 1000} s`);
    host.linkUp = false;
    network.reset(host);
    world.later(ms, () => {
      host.linkUp = true;
      daemon.hostCameBack(host.name);
    });
  },
  kill({ world }, { machine }) {
    const procs = machine.procs;
    const proc = procs[world.choices.below(Math.max(1, procs.length))];
    if (proc === undefined) return;
    world.fault(
      `${proc.kind} killed`,
      () => `${machine.name}: ${proc.kind} ${proc.pid} ${proc.token}`,
    );
    machine.kill(proc);
  },
  stop({ world }, { machine }) {
    const procs = machine.procs;
    const proc = procs[world.choices.below(Math.max(1, procs.length))];
    if (proc === undefined) return;
    const ms = world.choices.pick(WHILE_MS);
    world.fault(
      'process stopped',
      () => `${machine.name}: ${proc.kind} ${proc.pid} ${proc.token} for ${ms / 1000} s`,
    );
    machine.stop(proc, ms);
  },
  power({ world, network }, host) {
    if (!host.machine.up) return;
    world.fault('power lost', () => host.machine.name);
    host.machine.losePower();
    network.reset(host);
  },
  otherMachine({ world, network }, host) {
    if (host.machines.length === 1) return;
    network.reset(host);
    host.at = (host.at + 1) % host.machines.length;
    world.fault('another machine', () => `${host.name} leads to ${host.machine.name}`);
  },
  rootAway: forAWhile('root away', (host, on) => {
    host.disk.away = on;
  }),
  hostFull: forAWhile('host disk full', (host, on) => {
    host.disk.full = on;
  }),
  registry: forAWhile('registry fails', (host, on) => {
    host.registryFails = on;
  }),
  loseImage({ world }, host) {
    world.fault('image or input removed', () => host.name);
    host.disk.image = false;
    host.disk.object = false;
  },
  givenAway: forAWhile('named input away', (host, on) => {
    host.disk.given = !on;
  }),
  fullStore({ world, daemon }) {
    const ms = world.choices.pick(WHILE_MS);
    world.fault('state disk full', () => `for ${ms / 1000} s`);
    daemon.storeFull = true;
    world.later(ms, () => {
      daemon.storeFull = false;
      daemon.lookForRoom();
    });
  },
  clock({ world }) {
    world.clockSkew = world.choices.pick([YEAR_MS, -YEAR_MS, 3_600_000]);
    world.fault('clock step', () => `${world.clockSkew} ms`);
  },
  pause({ world, network, daemon }, host) {
    const ms = world.choices.pick(WHILE_MS);
    world.fault('host paused', () => `${host.name} for ${ms / 1000} s`);
    host.mode = 'paused';
    network.reset(host);
    world.later(ms, () => {
      host.mode = 'open';
      daemon.hostCameBack(host.name);
    });
  },
  cancel: asks('cancel-asked'),
  cancelToo: asks('cancel-asked'),
  retry: asks('retry-asked'),
  hold: asks('hold-asked'),
  release: asks('released'),
  gc: asks('gc-asked'),
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
const NAMES = Object.keys(FAULTS) as FaultName[];

function asks(
  kind: 'cancel-asked' | 'retry-asked' | 'hold-asked' | 'released' | 'gc-asked',
): Fault {
  return ({ world, daemon, ids }) => {
    const id = world.choices.pick(ids);
    world.fault(`user: ${kind}`, () => id);
    daemon.ask(id, { kind });
  };
}

/** One fault of those named, or of all. */
export function inject(scene: Scene, among: readonly FaultName[] = NAMES): void {
  const { choices } = scene.world;
  const fault: Fault = FAULTS[choices.pick(among)];
  fault(scene, choices.pick(scene.hosts));
}

/** Everything is mended, and stays so; names that lead to several machines lead to each in turn. */
export function heal({ world, daemon, hosts, network, ids }: Scene): void {
  world.note(() => 'all is mended');
  daemon.storeFull = false;
  for (const host of hosts) {
    host.linkUp = true;
    host.mode = 'open';
    host.registryFails = false;
    host.disk.away = false;
    host.disk.full = false;
    host.disk.given = true;
    if (daemon.up) daemon.hostCameBack(host.name);
    if (host.machines.length > 1) turn(world, network, host);
  }
  if (!daemon.up) daemon.start();
  for (const id of ids) daemon.ask(id, { kind: 'released' });
}

const TURN_MS = 120_000;

function turn(world: World, network: Network, host: Host): void {
  world.later(TURN_MS, () => {
    network.reset(host);
    host.at = (host.at + 1) % host.machines.length;
    turn(world, network, host);
  });
}
