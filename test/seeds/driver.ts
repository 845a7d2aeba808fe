/**
 * Plays one seed: submits its tasks, lets its faults strike when their moment comes, heals, waits until all has come
 * to rest, and has the oracle judge what is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MINI } from '../support/bed.ts';
import { until } from '../support/until.ts';
import { collect } from './evidence.ts';
import { type Hit, heal, inject } from './inject.ts';
import { isAtRest, lookAtStore, stepOf } from './look.ts';
import { judgeRun, type Violation } from './oracle.ts';
import { OUTPUT, payloadOf } from './payload.ts';
import { persist } from './persist.ts';
import { type Act, type Kind, type Plan, planOf, STEPS } from './plan.ts';
import { HOST, inputPath, makeScene, type Scene } from './scene.ts';
import { watchArgv } from './watch-argv.ts';

export interface RunResult {
  seed: number;
  tasks: number;
  attempts: number;
  /** Faults and acts that hit something. */
  struck: Kind[];
  /** Those that found nothing to hit. */
  missed: Kind[];
  violations: Violation[];
  /** From the healing until all was at rest. */
  convergeMs: number;
  tookMs: number;
  /** Where the state of a run that failed was kept. */
  keptIn?: string;
}

/** All must be at rest so long after the healing. */
const BOUND_MS = 120_000;
/** A step that is not reached by then is not waited for any more. */
const STEP_MS = 45_000;
const LOOK_MS = 40;

export async function runSeed(seed: number, tasks: number): Promise<RunResult> {
  const began = performance.now();
  const plan = planOf(seed, tasks);
  await using scene = await makeScene(plan);
  const argv = watchArgv(scene.canaries);
  const ids: (string | undefined)[] = plan.tasks.map(() => undefined);
  const struck = await play(scene, ids);
  const healed = performance.now();
  const violations: Violation[] = [];
  await until(() => isQuiet(scene, ids), undefined, BOUND_MS).catch(() => {});
  const convergeMs = performance.now() - healed;
  const evidence = await collect(scene, { ids, hits: struck.hits, leaked: argv.stop() });
  const stopped = await scene.kept.stop();
  violations.push(...judgeRun(plan, { ...evidence, daemon: [...evidence.daemon, ...stopped] }));
  return {
    ...{ seed, tasks, violations, convergeMs, missed: struck.missed },
    attempts: evidence.attempts.length + evidence.open.length,
    struck: struck.hits.map(({ kind }) => kind),
    tookMs: performance.now() - began,
    ...(violations.length > 0 && { keptIn: scene.keep() }),
  };
}

interface Struck {
  hits: Hit[];
  missed: Kind[];
}

async function play(scene: Scene, ids: (string | undefined)[]): Promise<Struck> {
  const { plan, kept } = scene;
  const struck: Struck = { hits: [], missed: [] };
  const over = new AbortController();
  const steps = followSteps(scene, ids, over.signal);
  await kept.start();
  const submitting = plan.tasks.map(async (_, index) => {
    ids[index] = await submit(scene, index);
  });
  const striking = plan.acts.map(async (act) => {
    await until(() => steps.reached(act), undefined, STEP_MS).catch(() => {});
    await sleep(act.thenMs);
    const hit = await inject({ scene, act, id: ids[act.task] ?? '' });
    if (hit === undefined) struck.missed.push(act.kind);
    else struck.hits.push(hit);
  });
  try {
    await Promise.all([...submitting, ...striking]);
  } finally {
    over.abort();
    await heal(scene);
  }
  return struck;
}

async function submit(scene: Scene, index: number): Promise<string | undefined> {
  const task = scene.plan.tasks[index];
  if (task === undefined) throw new Error(`no task ${index}`);
  await sleep(task.submitAfterMs);
  const input = (stream: 'stdout' | 'stderr', target: string) => {
    return { path: inputPath(scene.dir, index, stream), target };
  };
  const spec = {
    name: `task-${index}`,
    host: HOST,
    image: MINI,
    command: ['sh', '-c', payloadOf(task, scene.ledger.name)],
    inputs: [input('stdout', 'out'), input('stderr', 'err')],
    outputs: task.output
      ? [{ path: OUTPUT, local: `${scene.dir}/outputs/${index}/${OUTPUT}`, overwrite: true }]
      : [],
    binds: ['/ledger:/ledger'],
    retries: task.retries,
    retryOn: ['exit' as const, 'interrupted' as const],
    cleanup: task.cleanup,
  };
  const answer = await persist(() =>
    scene.client.submit([spec], { idempotencyKey: `task-${index}` }),
  );
  return answer?.tasks[0]?.id;
}

/** Looks at the database all the time and remembers the furthest step of each task. */
function followSteps(scene: Scene, ids: readonly (string | undefined)[], signal: AbortSignal) {
  const furthest = new Map<string, number>();
  void (async () => {
    while (!signal.aborted) {
      for (const task of lookAtStore(scene.daemon.stateDir)?.tasks ?? []) {
        const step = STEPS.indexOf(stepOf(task));
        furthest.set(task.id, Math.max(step, furthest.get(task.id) ?? 0));
      }
      await sleep(LOOK_MS);
    }
  })();
  return {
    reached: ({ task, step }: Act): boolean => {
      const id = ids[task];
      return id !== undefined && (furthest.get(id) ?? -1) >= STEPS.indexOf(step);
    },
  };
}

/** Every task has ended, and nothing is ordered any more. */
async function isQuiet({ daemon }: Scene, ids: readonly (string | undefined)[]): Promise<boolean> {
  await sleep(LOOK_MS);
  const stored = lookAtStore(daemon.stateDir);
  if (stored === undefined || stored.orders > 0) return false;
  return stored.tasks.length >= ids.length && stored.tasks.every(isAtRest);
}

export type { Plan };
