/**
 * What really happened, kept outside of daemon and hosts, and the promises that are held against it
 * after every step.
 */
import { isEnded, type TaskState } from '../../src/domain/state.ts';
import { attemptToken, type Task, type TaskId } from '../../src/domain/task.ts';
import type { LiveTask } from '../../src/engine/live-tasks.ts';
import type { Change } from '../../src/store/store.ts';
import type { Host, Machine } from './model-host.ts';
import { Violation, type World } from './world.ts';

interface Truth {
  starts: number;
  claimedAt: number;
  code?: number;
  timedOut: boolean;
  printed: number;
  delivered: boolean;
  removed: boolean;
}

const ORDER: Partial<Record<TaskState['kind'], string>> = {
  staging: 'stage',
  pulling: 'pull',
  launching: 'launch',
  running: 'watch',
  collecting: 'collect',
  cancelling: 'cancel',
};

export class Oracle {
  readonly rows = new Map<TaskId, LiveTask>();
  readonly spool = new Map<string, number>();
  hosts: readonly Host[] = [];
  /** Tasks with something wrong of their own, which may end in error. */
  readonly hopeless = new Set<TaskId>();
  attempts = 0;
  readonly #truth = new Map<string, Truth>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  of(token: string): Truth {
    let truth = this.#truth.get(token);
    if (truth === undefined) {
      truth = {
        starts: 0,
        claimedAt: 0,
        timedOut: false,
        printed: 0,
        delivered: false,
        removed: false,
      };
      this.#truth.set(token, truth);
    }
    return truth;
  }

  started(token: string, machine: Machine): void {
    const truth = this.of(token);
    truth.starts += 1;
    this.attempts += 1;
    this.#world.note(() => `${machine.name}: the command of ${token} starts`);
    if (truth.starts > 1)
      fail('one start', `the command of ${token} started ${truth.starts} times`);
    const { task, attempt } = this.#taskOf(token);
    const over = attempt < task.state.attempt || isEnded(task.state);
    if (over)
      fail('no start after the end', `${token} started, and the task is ${task.state.kind}`);
  }

  /** Its supervisor won the ticket; from now on its time counts. */
  claimed(token: string): void {
    this.of(token).claimedAt = this.#world.now;
  }

  printed(token: string, bytes: number): void {
    this.of(token).printed += bytes;
  }

  finished(token: string, code: number): void {
    this.of(token).code = code;
    this.#world.note(() => `the command of ${token} ends with code ${code}`);
  }

  timeUp(token: string, limitMs: number): void {
    const truth = this.of(token);
    truth.timedOut = true;
    if (this.#world.now - truth.claimedAt < limitMs)
      fail('time limit', `${token} was ended before its time`);
  }

  removed(token: string): void {
    const truth = this.of(token);
    truth.removed = true;
    const { task, attempt } = this.#taskOf(token);
    const past = task.history.find((one) => one.attempt === attempt);
    const kind = past?.result ?? task.state.kind;
    if (past === undefined && !isEnded(task.state))
      fail('clean after the end', `${token} was removed, and the task is ${kind}`);
    if (kind === 'succeeded' && task.spec.outputs.length > 0 && !truth.delivered)
      fail('outputs before clean', `${token} was removed, and its outputs are not here`);
  }

  /** Every commit is held against the one before it and against the truth. */
  committed(before: LiveTask | undefined, change: Change): void {
    const { task, effects } = change;
    const { state } = task;
    this.rows.set(task.id, { task, orders: effects });
    const kind = change.events[0]?.kind;
    this.#world.note(
      () =>
        `COMMIT ${task.id} ${kind}: ${before?.task.state.kind} -> ${state.kind} #${state.attempt}`,
    );
    if (before === undefined) return;
    if (task.version !== before.task.version + 1)
      fail('versions', `${task.id} jumped to ${task.version}`);
    checkOrders(task, effects);
    checkAttempts(before.task, task, kind ?? '');
    if (kind === 'placed') this.#checkRoom();
    if (isEnded(state) && !isEnded(before.task.state)) this.#checkEnd(task);
    if (state.attempt > before.task.state.attempt) this.#checkPast(task);
  }

  /** The end is the truth: nothing of it lives, nothing was made up. */
  #checkEnd(task: Task): void {
    this.#checkResult(task, {
      attempt: task.state.attempt,
      result: task.state.kind,
      code: 'failure' in task.state ? task.state.failure?.code : undefined,
    });
  }

  #checkPast(task: Task): void {
    const past = task.history.at(-1);
    if (past === undefined) return;
    const { attempt, result, failure } = past;
    this.#checkResult(task, { attempt, result, code: failure?.code });
  }

  #checkResult(
    task: Task,
    end: { attempt: number; result: string; code: string | undefined },
  ): void {
    const token = attemptToken(task.id, end.attempt);
    const truth = this.of(token);
    const say = `${token} ended ${end.result} ${end.code ?? ''}`;
    const alive = this.hosts.flatMap(({ machines }) =>
      machines.flatMap((one) => one.find('payload', token)),
    );
    if (alive.length > 0) fail('ended is dead', `${say}, and its command lives`);
    const exited = end.result === 'succeeded' || end.code === 'TASK_EXIT_CODE';
    if (exited && truth.starts !== 1)
      fail('exited ran once', `${say}, and it ran ${truth.starts} times`);
    if (exited && this.spool.get(token) !== truth.printed)
      fail('whole streams', `${say}: ${this.spool.get(token)} of ${truth.printed} bytes are here`);
    if (end.result === 'succeeded') {
      if (truth.code !== 0) fail('the true end', `${say}, its code is ${truth.code}`);
      if (task.spec.outputs.length > 0 && !truth.delivered)
        fail('outputs delivered', `${say}, no outputs`);
    }
    if (end.code === 'TASK_TIME_LIMIT' && !truth.timedOut)
      fail('the true end', `${say}, too early`);
    if (end.result === 'interrupted' && this.#hasRecord(token)) {
      fail('interrupted has no record', `${say}, and its exit record is there`);
    }
    // A pull for a full disk is told at once: somebody must make room before gigabytes are fetched again.
    // So is a container that was killed before it ran the command.
    const neverRan = end.code === 'RUNTIME_START_FAILED' && truth.starts === 0;
    // A file that the user named and that is not there is the user's to bring.
    const users = ['HOST_NO_SPACE', 'STAGE_REMOTE_INPUT_MISSING'].includes(end.code ?? '');
    const told = users || neverRan || this.hopeless.has(task.id);
    if (end.result === 'error' && !told) {
      fail('trouble is no end', `${say}: trouble of the host ended the task`);
    }
  }

  #hasRecord(token: string): boolean {
    return this.hosts.some(({ disk }) => disk.tasks.get(token)?.has('exit.json') === true);
  }

  #checkRoom(): void {
    for (const host of this.hosts) {
      let tasks = 0;
      let cpus = 0;
      for (const { task } of this.rows.values()) {
        const { state, spec } = task;
        if (isEnded(state) || !('host' in state) || state.host !== host.name) continue;
        tasks += 1;
        cpus += spec.cpus ?? 0;
      }
      if (tasks > host.maxTasks || cpus > host.cpus) {
        fail('room', `${host.name} has ${tasks} tasks with ${cpus} CPUs`);
      }
    }
  }

  #taskOf(token: string): { task: Task; attempt: number } {
    const [id, attempt] = token.split('.');
    const row = this.rows.get(id as TaskId);
    if (row === undefined) throw new Violation('known tasks', `nobody knows ${token}`);
    return { task: row.task, attempt: Number(attempt) };
  }
}

function checkOrders(task: Task, effects: Change['effects']): void {
  const { state } = task;
  const order = ORDER[state.kind];
  const mine = effects.filter(({ kind }) => kind !== 'clean' && kind !== 'finish');
  const fits =
    order === undefined ? mine.length === 0 : mine.length === 1 && mine[0]?.kind === order;
  if (!fits)
    fail(
      'orders',
      `${task.id} is ${state.kind} and has ordered ${mine.map(({ kind }) => kind).join()}`,
    );
  if (effects.some(({ attempt }) => attempt > state.attempt))
    fail('orders', `${task.id} orders ahead`);
  const cleans = effects.some(({ kind, attempt }) => kind === 'clean' && attempt === state.attempt);
  if (isEnded(state) && (state.cleanup === 'pending') !== cleans) {
    fail('orders', `cleaning of ${task.id} is ${state.cleanup}, ordered: ${cleans}`);
  }
  if (cleans && !isEnded(state)) fail('orders', `${task.id} is ${state.kind} and to be cleaned`);
  const hooks = effects.some(({ kind, attempt }) => kind === 'finish' && attempt === state.attempt);
  const wanted = isEnded(state) && task.spec.onFinish !== undefined && state.hook === undefined;
  if (hooks !== wanted)
    fail('orders', `the hook of ${task.id}, ${state.kind}, is ordered: ${hooks}`);
}

/** A new attempt follows an end, by the task's policy or by the word of a person. */
function checkAttempts(before: Task, task: Task, event: string): void {
  const was = before.state;
  const { state, spec } = task;
  if (isEnded(was) && state.attempt === was.attempt && state.kind !== was.kind) {
    fail('the end is final', `${task.id} was ${was.kind} and is ${state.kind}`);
  }
  if (state.attempt === was.attempt) return;
  const past = task.history.at(-1);
  if (state.attempt !== was.attempt + 1 || past?.attempt !== was.attempt) {
    fail('attempts', `${task.id} went from attempt ${was.attempt} to ${state.attempt}`);
  }
  if (event === 'retry-asked') return;
  const reason =
    past?.result === 'interrupted'
      ? 'interrupted'
      : past?.failure?.code === 'TASK_EXIT_CODE'
        ? 'exit'
        : past?.failure?.code === 'TASK_TIME_LIMIT'
          ? 'time-limit'
          : undefined;
  const allowed =
    reason !== undefined && spec.retryOn.includes(reason) && was.attempt <= spec.retries;
  if (!allowed)
    fail('retry by policy', `${task.id} was retried after ${past?.result} ${past?.failure?.code}`);
}

function fail(promise: string, what: string): never {
  throw new Violation(promise, what);
}
