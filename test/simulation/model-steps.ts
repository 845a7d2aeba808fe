/**
 * The steps of the engine in its order of acts (src/engine/steps), with what waits taken out:
 * they ask for an act on a host, are answered or refused, and judge by the product's own functions.
 */
import type { Effect } from '../../src/domain/effects.ts';
import type { NewsEvent } from '../../src/domain/events.ts';
import { AppError, toAppError } from '../../src/domain/failure.ts';
import { attemptToken, type Task } from '../../src/domain/task.ts';
import { mayLive } from '../../src/engine/salvage.ts';
import { newsOfClean } from '../../src/engine/steps/clean-up.ts';
import type { Seen } from '../../src/engine/watched.ts';
import { whereIs } from '../../src/engine/where.ts';
import { parseCancel } from '../../src/script/cancel.ts';
import { parseClean } from '../../src/script/clean.ts';
import { parseLaunch } from '../../src/script/launch-reply.ts';
import { parseStatus } from '../../src/script/status.ts';
import { parseSalvage } from '../../src/script/sweep.ts';
import type { Verdict } from '../../src/script/verdict.ts';
import type { StatusRequest, TokenRequest } from './host-looks.ts';
import type { LaunchRequest, PayloadPlan } from './host-programs.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

export type Request = LaunchRequest | StatusRequest | TokenRequest;

/** What a step waits for. */
export type Ask =
  | { ask: 'run'; host: string; request: Request }
  | { ask: 'sleep'; ms: number }
  | { ask: 'tell'; trouble: AppError | undefined };

export type Steps = Generator<Ask, NewsEvent, string>;
type Part<T> = Generator<Ask, T, string>;

export interface StepContext {
  world: World;
  oracle: Oracle;
  task: Task;
  attempt: number;
  plan: PayloadPlan;
  now: () => number;
}

const ROOT = '/root';
const DAEMON = 'd';
const IMAGE = { reference: 'docker://mini:1', path: '/root/images/mini.sif' };
const LOOK_CAP_MS = 10_000;
const TROUBLE_MS = 5_000;

export const STEPS: Record<Effect['kind'], (context: StepContext) => Steps> = {
  *stage({ task, attempt, world }) {
    const { host } = stateOf(task, 'staging');
    const reply = yield* run(host, tokenRequest('stage', { task, attempt, world }));
    refuse(reply, host);
    const inputs = {
      files: [{ kind: 'object' as const, sha256: 'input', mode: 0o644, target: 'a', bytes: 1 }],
    };
    return { kind: 'staged', attempt, inputs };
  },
  *pull({ task, attempt, world, oracle }) {
    const { host } = stateOf(task, 'pulling');
    for (let tries = 1; ; tries += 1) {
      const reply = yield* run(host, tokenRequest('pull', { task, attempt, world }));
      if (reply !== '@ registry') {
        refuse(reply, host);
        return { kind: 'image-ready', attempt, image: IMAGE };
      }
      if (tries === 4) {
        oracle.hopeless.add(task.id);
        const failure = new AppError('IMAGE_REGISTRY_UNREACHABLE', 'no registry').toRecord();
        return { kind: 'step-failed', attempt, failure };
      }
      yield { ask: 'sleep', ms: 1_000 * 4 ** tries };
    }
  },
  *launch({ world, task, attempt, plan, now }) {
    const { host, inputs } = stateOf(task, 'launching');
    const token = attemptToken(task.id, attempt);
    const request: LaunchRequest = {
      verb: 'launch',
      token,
      nonce: world.nonce(),
      digest: 'digest',
      needsInputs: inputs.files.length > 0,
      timeLimitMs: task.spec.timeLimitMs ?? 0,
      payload: plan,
    };
    const reply = parseLaunch(yield* run(host, request));
    return world.guards.newsOfLaunch(reply, {
      task,
      attempt,
      token,
      host,
      root: ROOT,
      now: now(),
      needs: [],
    });
  },
  *watch(context) {
    const { world, task, attempt, now, oracle } = context;
    const { host, launch } = stateOf(task, 'running');
    const token = attemptToken(task.id, attempt);
    const where = { task, attempt, host };
    for (;;) {
      const { verdict } = yield* watch(context, world.guards.isEnd);
      const bytes = { stdout: oracle.spool.get(token) ?? 0, stderr: 0 };
      const end = world.guards.newsOfEnd(verdict, { ...where, bytes, now: now() });
      if (end !== undefined) return end;
      const query = { token, nonce: launch.nonce, on: launch };
      const look = world.guards.parseSurvivors(yield* run(host, { verb: 'survivors', ...query }));
      if (mayLive(look)) {
        yield { ask: 'sleep', ms: 2_000 };
        continue;
      }
      const exit = parseSalvage(yield* run(host, { verb: 'salvage', ...query }));
      yield* watch(context, () => true);
      const left =
        exit === undefined ? { kind: 'dead' as const } : { kind: 'exited' as const, exit };
      const all = { stdout: oracle.spool.get(token) ?? 0, stderr: 0 };
      return world.guards.newsOfLeft(left, { ...where, bytes: all, now: now() });
    }
  },
  *collect({ task, attempt, world, oracle }) {
    const { host } = stateOf(task, 'collecting');
    const reply = yield* run(host, tokenRequest('collect', { task, attempt, world }));
    refuse(reply, host);
    if (reply === '@ missing') {
      // the command left without it: it failed, or was killed before it wrote
      if (stateOf(task, 'collecting').exit.code !== 0)
        return { kind: 'collected', attempt, outputs: [] };
      oracle.hopeless.add(task.id);
      throw new AppError('OUTPUT_MISSING', 'no output');
    }
    yield* run(host, tokenRequest('collect', { task, attempt, world }));
    oracle.of(attemptToken(task.id, attempt)).delivered = true;
    return { kind: 'collected', attempt, outputs: [] };
  },
  *cancel(context) {
    const { world, task, attempt } = context;
    const state = stateOf(task, 'cancelling');
    if (!state.published) return { kind: 'gone', attempt };
    for (;;) {
      const reply = parseCancel(yield* run(state.host, tokenRequest('cancel', context)));
      const isGone = world.guards.afterCancel(reply, { task, attempt, host: state.host });
      if (isGone === 'gone') return { kind: 'gone', attempt };
      const until = world.now + world.guards.askAgainMs;
      const seen = yield* watch(context, (look) => isGone(look) || world.now >= until);
      const { verdict } = seen;
      const exit = verdict.kind === 'exited' ? verdict.exit : undefined;
      if (isGone(seen)) return { kind: 'gone', attempt, exit };
    }
  },
  *clean({ task, attempt, world }) {
    const { host } = whereIs(task, attempt);
    if (host === undefined) return { kind: 'cleaned', attempt };
    const request = tokenRequest('clean', { task, attempt, world });
    const token = attemptToken(task.id, attempt);
    const plan = { root: ROOT, daemonId: DAEMON, tokens: [token] };
    const result = parseClean(plan, yield* run(host, request)).get(token);
    return newsOfClean(result, { task, attempt, host });
  },
  *finish({ attempt }) {
    yield { ask: 'sleep', ms: 500 };
    return { kind: 'hook-ended', attempt, hook: { at: 0, ms: 500 } };
  },
};

/** Looks until the end is seen and the stream is here as far as it was then; trouble is told, never an end. */
function* watch(context: StepContext, isEnd: (seen: Seen) => boolean): Part<Seen> {
  const { world, oracle, task, attempt } = context;
  const state = task.state as { host: string; launch?: { nonce: string; pid: number } };
  const { host } = state;
  const launch = 'launch' in task.state ? task.state.launch : undefined;
  const token = attemptToken(task.id, attempt);
  const dir = `${ROOT}/tasks/${DAEMON}/${token}`;
  const query = { dir, nonce: launch?.nonce ?? '-', pid: launch?.pid ?? 0 };
  let previous: Verdict | undefined;
  let pauseMs = 30;
  for (;;) {
    try {
      const reply = parseStatus([query], yield* run(host, { verb: 'status', token, ...query }));
      const facts = reply.attempts[0];
      if (facts === undefined) throw new Error('no answer');
      const verdict = world.guards.judge({ host: reply.host, facts, launch, previous });
      previous = verdict;
      const here = oracle.spool.get(token) ?? 0;
      if ((facts.stdoutBytes ?? 0) > here) {
        const said = yield* run(host, tokenRequest('read', context));
        refuse(said, host);
        oracle.spool.set(token, Math.max(Number(said.slice(2)), oracle.spool.get(token) ?? 0));
      }
      yield { ask: 'tell', trouble: undefined };
      const seen = { verdict, killed: facts.killed };
      if (!oracle.spool.has(token)) oracle.spool.set(token, 0);
      if (isEnd(seen)) return seen;
    } catch (thrown) {
      yield { ask: 'tell', trouble: toAppError(thrown) };
      pauseMs = TROUBLE_MS;
    }
    yield { ask: 'sleep', ms: pauseMs };
    pauseMs = Math.min(pauseMs * 4, LOOK_CAP_MS);
  }
}

function* run(host: string, request: Request): Part<string> {
  return yield { ask: 'run', host, request };
}

function tokenRequest(
  verb: TokenRequest['verb'],
  { task, attempt, world }: { task: Task; attempt: number; world: World },
): TokenRequest {
  return { verb, token: attemptToken(task.id, attempt), nonce: world.nonce() };
}

/** @throws HOST_ROOT_UNAVAILABLE, HOST_COMMAND_FAILED */
function refuse(reply: string, host: string): void {
  if (reply === '@ away')
    throw new AppError('HOST_ROOT_UNAVAILABLE', `the root on ${host} is away`);
  if (reply === '@ full') throw new AppError('HOST_COMMAND_FAILED', `the disk of ${host} is full`);
}

function stateOf<K extends Task['state']['kind']>(task: Task, kind: K) {
  if (task.state.kind !== kind) throw new Error(`${kind} wanted, ${task.state.kind} found`);
  return task.state as Extract<Task['state'], { kind: K }>;
}
