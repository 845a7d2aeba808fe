/** One history: some hosts, some tasks, faults for a while, then peace; in the end all must be over. */
import { isEnded } from '../../src/domain/state.ts';
import type { Task, TaskId, TaskSpec } from '../../src/domain/task.ts';
import { newTask } from '../../src/engine/ledger.ts';
import { aSpec } from '../support/builders.ts';
import { Choices } from './choices.ts';
import { type FaultName, heal, inject, type Scene } from './faults.ts';
import { type Guards, REAL } from './guards.ts';
import type { PayloadPlan } from './host-programs.ts';
import { Daemon } from './model-daemon.ts';
import { Host } from './model-host.ts';
import { Network } from './network.ts';
import { Oracle } from './oracle.ts';
import { Violation, World } from './world.ts';

export interface History {
  steps: number;
  tasks: number;
  /** Commands that were started. */
  attempts: number;
  faults: Record<string, number>;
  /** Virtual time from the mending to the end of everything. */
  convergedMs: number;
  violation?: { promise: string; what: string } | undefined;
  drawn: number[];
  trace: string[];
}

export type HistoryInput = { seed: number } | { drawn: readonly number[] };

/** After the mending; the longest sleep of a hung process and the slowest retry are far below. */
const CONVERGE_MS = 3_600_000;
const CONVERGE_STEPS = 20_000;
const FAULT_PERCENT = 7;

export interface HistoryOptions {
  guards?: Guards;
  /** Only these, so that a rare mixture comes soon. */
  faults?: readonly FaultName[] | undefined;
  tracing?: boolean;
}

export function runHistory(
  input: HistoryInput,
  { guards = REAL, faults: among, tracing = false }: HistoryOptions = {},
): History {
  const choices = 'seed' in input ? Choices.fromSeed(input.seed) : Choices.replay(input.drawn);
  const trace: string[] = [];
  const world = new World({ choices, guards, trace: tracing ? trace : undefined });
  const oracle = new Oracle(world);
  let violation: History['violation'];
  let convergedMs = 0;
  let tasks = 0;
  try {
    const scene = makeScene(world, oracle);
    tasks = scene.ids.length;
    convergedMs = play(scene, { oracle, among });
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { promise: error.promise, what: error.message };
    world.note(() => `VIOLATION of "${error.promise}": ${error.message}`);
  }
  const { steps, faults } = world;
  const { attempts } = oracle;
  const { drawn } = choices;
  return { steps, tasks, attempts, faults, convergedMs, violation, drawn, trace };
}

/** Gives the virtual time that it took to converge. */
function play(
  scene: Scene,
  { oracle, among }: { oracle: Oracle; among: HistoryOptions['faults'] },
): number {
  const { world } = scene;
  const chaos = 60 + world.choices.below(240);
  while (world.steps < chaos) {
    if (world.choices.chance(FAULT_PERCENT)) inject(scene, among);
    if (!world.step()) break;
  }
  heal(scene);
  const healedAt = world.now;
  const from = world.steps;
  while (!isOver(scene, oracle)) {
    const tooLong = world.now - healedAt > CONVERGE_MS || world.steps - from > CONVERGE_STEPS;
    if (tooLong || !world.step()) {
      const left = [...oracle.rows.values()].filter(
        ({ task, orders }) => !isEnded(task.state) || orders.length > 0,
      );
      const what = left.map(
        ({ task, orders }) =>
          `${task.id} is ${task.state.kind} ${blockedBy(task)}, ordered: ${orders.map(({ kind, attempt }) => `${kind} ${attempt}`).join()}`,
      );
      const lives = livingOf(scene);
      throw new Violation('convergence', [...what, ...lives].join('; ') || 'work is left over');
    }
  }
  return world.now - healedAt;
}

function isOver(scene: Scene, oracle: Oracle): boolean {
  for (const { task, orders } of oracle.rows.values()) {
    if (!isEnded(task.state) || orders.length > 0) return false;
  }
  return livingOf(scene).length === 0;
}

/** Processes of attempts, which must be gone in the end. */
function livingOf({ hosts }: Scene): string[] {
  const lives: string[] = [];
  for (const { machines } of hosts) {
    for (const { name, procs } of machines) {
      for (const { kind, token } of procs)
        if (token !== '') lives.push(`${kind} of ${token} on ${name}`);
    }
  }
  return lives;
}

function blockedBy({ state }: Task): string {
  return 'blocked' in state && state.blocked !== undefined ? `(${state.blocked.reason})` : '';
}

function makeScene(world: World, oracle: Oracle): Scene {
  const { choices } = world;
  const hosts = Array.from({ length: 1 + choices.below(3) }, (_, i) => {
    const shape = {
      name: `h${i + 1}`,
      machines: 1 + choices.below(2),
      cloned: choices.chance(30),
      maxTasks: 2 + choices.below(3),
      cpus: 4,
    };
    return new Host({ world, oracle }, shape);
  });
  oracle.hosts = hosts;
  const network = new Network(world, hosts);
  const plans = new Map<TaskId, PayloadPlan>();
  const daemon = new Daemon({ world, oracle, network, plans, hosts });
  const ids: TaskId[] = [];
  daemon.start();
  const count = 2 + choices.below(4);
  for (let i = 1; i <= count; i += 1) {
    const id = `t${i}` as TaskId;
    ids.push(id);
    const spec = aSpec(chooseSpec(world, hosts));
    const fails = choices.chance(30);
    plans.set(id, {
      runsMs: choices.pick([1_000, 0, 10_000, 100_000]),
      code: fails ? 3 : 0,
      prints: 10,
      writesOutput: spec.outputs.length > 0,
    });
    daemon.submit(newTask(id, spec, world.now));
  }
  return { world, daemon, network, hosts, ids };
}

const RETRY_ON: readonly TaskSpec['retryOn'][] = [
  [],
  ['exit'],
  ['interrupted'],
  ['exit', 'interrupted', 'time-limit'],
];
const INPUT = { source: { kind: 'content' as const, base64: '' }, target: 'a' };
const OUTPUT = { pattern: 'a', local: '/a', overwrite: false };

function chooseSpec({ choices }: World, hosts: readonly Host[]): Partial<TaskSpec> {
  const retries = choices.below(3);
  return {
    retries,
    onFinish: retries > 0 ? 'true' : undefined,
    retryOn: choices.pick(RETRY_ON),
    cleanup: choices.pick(['on-success', 'always', 'never']),
    inputs: choices.chance(40) ? [INPUT] : [],
    outputs: choices.chance(40) ? [OUTPUT] : [],
    cpus: choices.below(3),
    priority: choices.below(2),
    held: choices.chance(10),
    ...(choices.chance(30) && { host: choices.pick(hosts).name }),
    ...(choices.chance(30) && { timeLimitMs: choices.pick([5_000, 43_200_000]) }),
  };
}
