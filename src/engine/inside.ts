/**
 * Commands inside a task that is there already: beside the task's own command while that runs, in a
 * new container over the same directories once it has ended and was kept. Nothing is stored of them.
 */
import { AppError, isAppError } from '../domain/failure.ts';
import { isEnded, type LaunchRecord, type ReadyImage } from '../domain/state.ts';
import { attemptToken, type Task } from '../domain/task.ts';
import type { RemoteProcess } from '../remote/host.ts';
import {
  freshText,
  hangUpText,
  type InsideCommand,
  joinText,
  parseWayIn,
  signalText,
  type WayIn,
  wayInText,
} from '../script/inside.ts';
import type { ServiceDeps } from './create-service.ts';
import { hasJobs } from './jobs/host-jobs.ts';
import { type LaunchContent, scriptPlan } from './launch-files.ts';
import { pathValues, placesOf } from './places.ts';
import { sampleInputs } from './plan.ts';
import type { Seat } from './seats.ts';
import type { ExecSession, Service } from './service.ts';
import type { EngineSettings } from './settings.ts';
import { sleep } from './sleep.ts';

/** Each holds a channel of the host, of which there may be few. */
const SESSIONS_PER_HOST_MAX = 4;

/** A container on a slow file system takes seconds to come up. */
const STARTING = { looks: 60, pauseMs: 250 };

type InsideDeps = Pick<ServiceDeps, 'ledger' | 'seats' | 'randomBytes' | 'settings'>;

export function createInside({
  ledger,
  seats,
  randomBytes,
  settings,
}: InsideDeps): Pick<Service, 'exec'> {
  const open = new Map<string, number>();

  function takePlace(host: string): () => void {
    const used = open.get(host) ?? 0;
    if (used >= SESSIONS_PER_HOST_MAX) {
      const text = `host ${host} has ${used} exec and shell sessions open, which is the most there can be`;
      throw new AppError('HOST_SESSIONS_FULL', text, { context: { host } });
    }
    open.set(host, used + 1);
    return () => void open.set(host, (open.get(host) ?? 1) - 1);
  }

  return {
    async exec(id, { command, tty }, { signal }) {
      const task = await ledger.find(id);
      const there = placeInside(task);
      const seat = seats.get(there.host);
      const release = takePlace(seat.name);
      try {
        const nonce = Buffer.from(randomBytes(8)).toString('hex');
        const inside = { command, nonce, term: tty?.term };
        const on = whereItRuns(seat, task, there);
        const { text, note } = await makeText({
          on,
          seat,
          task,
          there,
          inside,
          signal,
          defaults: settings().defaults,
        });
        const purpose = `command in task ${task.id}`;
        const process = await seat.host
          .openProcess(on(text, tty !== undefined), { purpose, tty, signal })
          .catch((error: unknown) => refuseRoom(error, seat.name));
        process.ended.then(release, release);
        const send = (words: string): void => {
          // Where the link is gone, the reaper beside the command sees it by itself.
          seat.host.run(on(words), { purpose: `signal to a ${purpose}` }).catch(() => {});
        };
        return sessionOf(process, { note, nonce, send });
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** What works at its own pace elsewhere is not tried again here: somebody waits. */
function refuseRoom(error: unknown, host: string): never {
  if (!isAppError(error) || error.code !== 'SSH_CHANNEL_REFUSED') throw error;
  const text = `host ${host} gives no channel for one more command: ${error.message}`;
  throw new AppError('HOST_SESSIONS_FULL', text, { context: { host }, cause: error });
}

interface Inside {
  host: string;
  launch: LaunchRecord;
  image: ReadyImage;
}

/** Where one can get inside a task. @throws TASK_WRONG_STATE */
export function placeInside({ id, state }: Task): Inside {
  const refuse = (why: string): AppError =>
    new AppError('TASK_WRONG_STATE', `task ${id} ${why}`, { context: { task: id } });
  if (isEnded(state) && state.cleanup === 'pending') throw refuse('is being removed from its host');
  if (isEnded(state) && state.cleanup === 'done') throw refuse(`is ${state.kind} and was removed`);
  if (state.kind === 'cancelling') throw refuse('is being cancelled');
  const { host, launch, image } = {
    host: undefined,
    launch: undefined,
    image: undefined,
    ...state,
  };
  if (host === undefined || launch === undefined || image === undefined) {
    throw refuse(`is ${state.kind} and has nothing on a host to look inside`);
  }
  return { host, launch, image };
}

/** Makes a text run where the task does: on this host, or where its job is. */
type On = (text: string, tty?: boolean) => string;

function whereItRuns(seat: Seat, { state }: Task, { launch: { job } }: Inside): On {
  if (job === undefined || !hasJobs(seat) || state.kind !== 'running') return (text) => text;
  return (text, tty = false) => seat.jobs.scheduler.withinText(job, text, tty);
}

interface Asked {
  on: On;
  seat: Seat;
  task: Task;
  there: Inside;
  inside: InsideCommand;
  signal: AbortSignal;
  defaults: EngineSettings['defaults'];
}

async function makeText(asked: Asked): Promise<{ text: string; note?: string }> {
  const { seat, task, there, inside, signal } = asked;
  const token = attemptToken(task.id, task.state.attempt);
  const dir = seat.attemptDir(there.launch.root, token);
  const runs = task.state.kind === 'running';
  const query = { dir, token, runs, imagePath: there.image.path };
  const way = await findWay({ seat, on: asked.on }, query, signal);
  if (way.kind === 'join') return { text: joinText(way, inside) };
  const { hasShell, why } = freshOf(way, asked, dir);
  const facts = await seat.ready();
  const { policy } = seat;
  const places = placesOf(task.spec, pathValues(facts), { policy, defaults: asked.defaults });
  const locked = runs && places.overlay?.kind !== 'none';
  const content: LaunchContent = {
    spec: task.spec,
    token,
    dir,
    inputs: sampleInputs(task.spec),
    imagePath: there.image.path,
    runtime: facts.runtime,
    runtimeArgs: seat.policy.runtimeArgs,
    setup: seat.policy.setup,
    defaultSignal: facts.tools.defaultSignal,
    // the running container holds the overlay, which one at a time may have
    places: locked ? { ...places, overlay: undefined } : places,
  };
  const text = freshText(scriptPlan(content), { ...inside, hasShell });
  return runs ? { text, note: noteOn(why, locked) } : { text };
}

/** Waits for a container that comes up just now. */
async function findWay(
  { seat, on }: Pick<Asked, 'seat' | 'on'>,
  query: Parameters<typeof wayInText>[0],
  signal: AbortSignal,
): Promise<WayIn> {
  const purpose = `looking for a way inside ${query.token}`;
  for (let looks = 1; ; looks += 1) {
    const runs = query.runs && looks <= STARTING.looks;
    const reply = await seat.host.run(on(wayInText({ ...query, runs })), {
      ...{ purpose, signal },
      lane: 'quick',
    });
    const way = parseWayIn(reply.output);
    if (way.kind !== 'starting') return way;
    await sleep(STARTING.pauseMs, signal);
  }
}

function freshOf(way: WayIn, { seat, task, there }: Asked, dir: string): WayIn & { kind: 'fresh' } {
  if (way.kind === 'fresh') return way;
  const context = { host: seat.name, task: task.id, image: there.image.path };
  if (way.kind === 'image-gone') {
    const text = `image ${there.image.path} of task ${task.id} is not on ${seat.name} any more`;
    throw new AppError('IMAGE_NOT_FOUND', text, { context });
  }
  const text = `the directory ${dir} of task ${task.id} on ${seat.name} is not there`;
  throw new AppError('TASK_WRONG_STATE', text, { context });
}

function noteOn(why: string, locked: boolean): string {
  const without = locked ? ', without its overlay, which is in use' : '';
  return `in a new container with the same directories${without}, not among the processes of the task: ${why}`;
}

interface Line {
  note: string | undefined;
  nonce: string;
  /** Runs a text on the host without waiting for it. */
  send: (text: string) => void;
}

function sessionOf(process: RemoteProcess, { note, nonce, send }: Line): ExecSession {
  return {
    ...process,
    note,
    signal: (name) => send(signalText(nonce, name)),
    close() {
      send(hangUpText(nonce));
      process.close();
    },
  };
}
