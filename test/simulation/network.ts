/**
 * Between daemon and hosts: a request may never arrive or arrive late, its session may be cut while
 * it acts or act on unheard, its reply may be lost. The daemon only ever hears that the link broke.
 */
import { AppError } from '../../src/domain/failure.ts';
import { cancel, clean, plain, salvage, status, survivors } from './host-looks.ts';
import { launch } from './host-programs.ts';
import type { Host, Machine, Proc, Program } from './model-host.ts';
import type { Request } from './model-steps.ts';
import type { Item, World } from './world.ts';

export interface Call {
  host: Host;
  machine: Machine;
  /** The boot of the machine that it was sent to: a connection does not outlive it. */
  boot: string;
  request: Request;
  /** Nobody waits for it any more. */
  closed: boolean;
  onWay: Item | undefined;
  session: Proc | undefined;
  answer: Answer;
}

interface Answer {
  reply: (text: string) => void;
  fail: (error: AppError) => void;
}

const LATENCY_MS = 5;
const NO_ANSWER_MS = 15_000;
const HUNG_MS = [1_000, 60_000, 600_000] as const;

export class Network {
  readonly #world: World;
  readonly #hosts: ReadonlyMap<string, Host>;
  #open: Call[] = [];

  constructor(world: World, hosts: readonly Host[]) {
    this.#world = world;
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  call(name: string, request: Request, answer: Answer): Call {
    const host = this.#hosts.get(name) as Host;
    const { machine } = host;
    const call: Call = {
      ...{ host, machine, boot: machine.bootId, request, answer },
      ...{ closed: false, onWay: undefined, session: undefined },
    };
    this.#open.push(call);
    if (host.mode === 'paused') this.#failSoon(call, 'HOST_PAUSED', 0);
    else if (!host.linkUp || !machine.up)
      this.#failSoon(call, 'SSH_HOST_UNREACHABLE', NO_ANSWER_MS);
    else call.onWay = this.#world.later(LATENCY_MS, () => this.#arrive(call));
    return call;
  }

  #failSoon(call: Call, code: 'HOST_PAUSED' | 'SSH_HOST_UNREACHABLE', ms: number): void {
    call.onWay = this.#world.later(ms, () => this.#fail(call, code));
  }

  #arrive(call: Call): void {
    const { machine, request } = call;
    call.onWay = undefined;
    if (!machine.up || machine.bootId !== call.boot) return this.#fail(call, 'SSH_CONNECTION_LOST');
    this.#world.note(() => `${machine.name}: ${request.verb} of ${request.token}`);
    const program = (me: Proc): Program => programOf(machine, me, request);
    call.session = machine.spawn('session', '', program, (said) => {
      call.session = undefined;
      if (call.closed) return;
      if (said === undefined) return this.#fail(call, 'SSH_CONNECTION_LOST');
      call.onWay = this.#world.later(LATENCY_MS, () => this.#answer(call, said));
    });
  }

  #answer(call: Call, said: string): void {
    if (!this.#close(call)) return;
    const { verb, token } = call.request;
    this.#world.note(
      () =>
        `${call.machine.name}: ${verb} of ${token} says ${said.split('\n').slice(-3).join(' | ').slice(0, 120)}`,
    );
    call.answer.reply(said);
  }

  #fail(call: Call, code: 'HOST_PAUSED' | 'SSH_HOST_UNREACHABLE' | 'SSH_CONNECTION_LOST'): void {
    if (this.#close(call)) call.answer.fail(new AppError(code, `no link to ${call.host.name}`));
  }

  #close(call: Call): boolean {
    if (call.closed) return false;
    call.closed = true;
    const index = this.#open.indexOf(call);
    if (index >= 0) this.#open.splice(index, 1);
    return true;
  }

  /** The daemon does not wait for it any more, or there is no daemon: what runs there may run on. */
  giveUp(call: Call): void {
    if (this.#close(call)) this.#leave(call);
  }

  /** The link of a host breaks: all who wait hear it. */
  reset(host: Host): void {
    for (const call of this.#open.filter((one) => one.host === host)) {
      this.#leave(call);
      this.#world.later(0, () => this.#fail(call, 'SSH_CONNECTION_LOST'));
    }
  }

  /** What becomes of the far side: goes on, hangs and goes on later, or is ended. */
  #leave(call: Call): void {
    const { choices } = this.#world;
    const { session, machine, onWay } = call;
    const fate = choices.below(4);
    if (session !== undefined) {
      if (fate === 1) machine.kill(session);
      if (fate === 2) machine.stop(session, choices.pick(HUNG_MS));
    } else if (onWay !== undefined) {
      // on its way there, or its reply on the way back: the one may come late, the other is lost
      if (fate === 2) onWay.at += choices.pick(HUNG_MS);
      else if (fate !== 0) this.#world.drop(onWay);
    }
  }
}

function programOf(machine: Machine, me: Proc, request: Request): Program {
  switch (request.verb) {
    case 'launch':
      return launch(machine, me, request);
    case 'status':
      return status(machine, request);
    case 'cancel':
      return cancel(machine, request);
    case 'clean':
      return clean(machine, request);
    case 'survivors':
      return survivors(machine, request);
    case 'salvage':
      return salvage(machine, request);
    case 'stage':
    case 'pull':
    case 'read':
    case 'collect':
      return plain(machine, request);
  }
}
