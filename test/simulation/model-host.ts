/**
 * Hosts as their kernel sees them: machines with a boot, processes with numbers that are used again,
 * and a disk that several machines may share. A host is a name that leads to one of its machines.
 */
import { Disk } from './model-disk.ts';
import type { Oracle } from './oracle.ts';
import type { Item, World } from './world.ts';

/** Milliseconds to sleep between two acts, or UNTIL_WOKEN. What it returns is what it said. */
export type Program = Generator<number, string, void>;

export const UNTIL_WOKEN = -1;

export interface Proc {
  pid: number;
  /** Ticks since boot; the same pid gets another one, until the next boot. */
  start: number;
  /** payload and crew are marked with the token in their environment. */
  kind: 'payload' | 'crew' | 'session' | 'killer';
  token: string;
  alive: boolean;
  /** What it told whoever waits for a line of it. */
  said?: string;
  program: Program;
  item: Item | undefined;
  waiting: boolean;
  waiters: Proc[];
  onEnd: ((said: string | undefined) => void) | undefined;
}

const MACHINE_UP_MS = 20_000;

export class Machine {
  readonly name: string;
  readonly machineId: string;
  readonly host: Host;
  readonly disk: Disk;
  readonly procs: Proc[] = [];
  boots = 1;
  up = true;
  #spawned = 0;
  readonly #world: World;

  constructor(host: Host, parts: { name: string; machineId: string; disk: Disk }) {
    this.host = host;
    this.#world = host.world;
    this.name = parts.name;
    this.machineId = parts.machineId;
    this.disk = parts.disk;
  }

  get bootId(): string {
    return `${this.name}-boot${this.boots}`;
  }

  spawn(
    kind: Proc['kind'],
    token: string,
    program: (me: Proc) => Program,
    onEnd?: Proc['onEnd'],
  ): Proc {
    this.#spawned += 1;
    const me: Proc = {
      pid: this.#freePid(),
      start: this.#spawned,
      kind,
      token,
      alive: true,
      program: undefined as unknown as Program,
      item: undefined,
      waiting: false,
      waiters: [],
      onEnd,
    };
    me.program = program(me);
    this.procs.push(me);
    me.item = this.#world.later(0, () => this.#run(me));
    return me;
  }

  /** Numbers are used again as soon as they are free: the worst case. */
  #freePid(): number {
    let pid = 100;
    while (this.procs.some((proc) => proc.pid === pid)) pid += 1;
    return pid;
  }

  #run(me: Proc): void {
    me.waiting = false;
    const { done, value } = me.program.next();
    if (done) return this.#end(me, value);
    if (!me.alive) return;
    if (value === UNTIL_WOKEN) {
      me.waiting = true;
      me.item = undefined;
    } else me.item = this.#world.later(value, () => this.#run(me));
  }

  wake(me: Proc): void {
    if (!me.alive || !me.waiting) return;
    me.waiting = false;
    me.item = this.#world.later(0, () => this.#run(me));
  }

  kill(me: Proc): void {
    if (!me.alive) return;
    this.#world.drop(me.item);
    this.#end(me, undefined);
  }

  /** It sleeps, or is stopped, for so long. */
  stop(me: Proc, ms: number): void {
    if (me.item !== undefined) me.item.at = this.#world.now + ms;
  }

  #end(me: Proc, said: string | undefined): void {
    me.alive = false;
    me.item = undefined;
    this.procs.splice(this.procs.indexOf(me), 1);
    for (const waiter of me.waiters) this.wake(waiter);
    me.onEnd?.(said);
  }

  find(kind: Proc['kind'], token: string): Proc[] {
    return this.procs.filter((proc) => proc.kind === kind && proc.token === token);
  }

  /** Power fails: nothing of it lives, and what was not synced may be lost. */
  losePower(): void {
    this.up = false;
    for (const proc of [...this.procs]) this.kill(proc);
    // A disk that others have mounted as well is on a server with power of its own.
    if (this.host.machines.length === 1) this.disk.losePower();
    this.#world.later(MACHINE_UP_MS, () => {
      this.boots += 1;
      this.#spawned = 0;
      this.up = true;
    });
  }
}

export class Host {
  readonly name: string;
  readonly world: World;
  readonly oracle: Oracle;
  readonly machines: Machine[] = [];
  readonly maxTasks: number;
  readonly cpus: number;
  linkUp = true;
  mode: 'open' | 'paused' = 'open';
  registryFails = false;
  at = 0;

  constructor(
    parts: { world: World; oracle: Oracle },
    shape: { name: string; machines: number; cloned: boolean; maxTasks: number; cpus: number },
  ) {
    this.world = parts.world;
    this.oracle = parts.oracle;
    this.name = shape.name;
    this.maxTasks = shape.maxTasks;
    this.cpus = shape.cpus;
    const disk = new Disk(this.world);
    for (let i = 1; i <= shape.machines; i += 1) {
      const name = shape.machines === 1 ? shape.name : `${shape.name}-${i}`;
      const machineId = shape.cloned ? 'cloned' : `id-of-${name}`;
      this.machines.push(new Machine(this, { name, machineId, disk }));
    }
  }

  /** Where the name leads just now. */
  get machine(): Machine {
    return this.machines[this.at] as Machine;
  }

  get disk(): Disk {
    return this.machine.disk;
  }
}
