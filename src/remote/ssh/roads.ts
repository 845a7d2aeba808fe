/**
 * What hosts share on the way: a bound on handshakes, one login budget per account and machine, and one connection to each
 * jump host however many hosts and links are behind it. A jump host is kept by a LinkKeeper of its own,
 * so it is knocked at no oftener than any other host; nobody behind it, and it is left after a while.
 */
import PQueue from 'p-queue';
import { AppError, type ErrorContext, isAppError } from '../../domain/failure.ts';
import { newCounters } from '../counters.ts';
import type { HostDeps } from '../deps.ts';
import type { Ask, JumpUse } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { withDeadline } from '../settle.ts';
import { ChannelCount } from './channel-count.ts';
import type { Passage, Road } from './connect.ts';
import { connectHost, type SshConnection } from './connection.ts';
import { LinkKeeper } from './keeper.ts';
import { createLinkLog } from './link-log.ts';
import { LoginBudget } from './login-budget.ts';
import { type LoginNode, LoginNodes } from './login-nodes.ts';
import { Traffic } from './traffic.ts';
import { tunnelFailure } from './tunnel-failure.ts';
import type { Wire } from './wire.ts';

/** A host's own way through its jump hosts. */
export interface HostRoad extends Road {
  /** How the jump hosts stand, outermost first. */
  use(): JumpUse[];
  /** The jump hosts try now, too. */
  wake(): void;
  /** The host is closed: whoever is the last one closes the jump host. */
  leave(): void;
}

/**
 * Logins with their key exchange under way at once, over all hosts. Each takes the event loop some ten milliseconds of
 * arithmetic: a thousand that are answered in the same moment would hold up everything else for seconds. Hosts that are far
 * answer in a second, so that a thousand of these are in within a minute, before sshd gives up on them (LoginGraceTime).
 */
export const HANDSHAKES_MAX = 16;

export class Roads {
  readonly handshakes = new PQueue({ concurrency: HANDSHAKES_MAX });
  readonly #deps: HostDeps;
  readonly #budgets = new Map<string, LoginBudget>();
  readonly #hops = new Map<string, Hop>();

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  /** The budget of an account on a machine, whatever names it has in the configuration. */
  budget({ user, hostname, port, loginBurst, loginRefillMs }: HostSettings): LoginBudget {
    const key = JSON.stringify([user, hostname, port, loginBurst, loginRefillMs]);
    const limits = { burst: loginBurst, refillMs: loginRefillMs };
    const budget =
      this.#budgets.get(key) ?? new LoginBudget(limits, this.#deps.clock, this.#deps.random);
    this.#budgets.set(key, budget);
    return budget;
  }

  /**
   * The way to a host, undefined where it is straight. `onOpen` is called whenever the last jump host
   * can be used again.
   */
  to(settings: HostSettings, onOpen: () => void): HostRoad | undefined {
    const last = settings.jumps.at(-1);
    if (last === undefined) return undefined;
    // Only the order given here counts, not what the jump hosts would do if they were hosts.
    const through = withJumps(last, settings.jumps.slice(0, -1));
    const key = JSON.stringify(through);
    const hop = this.#hops.get(key) ?? this.#open(key, through);
    return hop.join(settings, onOpen);
  }

  #open(key: string, settings: HostSettings): Hop {
    const hop: Hop = new Hop(settings, {
      host: this.#deps,
      roads: this,
      closed: () => void this.#hops.delete(key),
    });
    this.#hops.set(key, hop);
    return hop;
  }
}

function withJumps(settings: HostSettings, jumps: HostSettings[]): HostSettings {
  const { furtherNodes } = settings;
  if (furtherNodes === undefined) return { ...settings, jumps };
  return { ...settings, jumps, furtherNodes: furtherNodes.map((node) => ({ ...node, jumps })) };
}

interface HopDeps {
  host: HostDeps;
  roads: Roads;
  closed: () => void;
}

class Hop {
  readonly #settings: HostSettings;
  readonly #deps: HopDeps;
  readonly #nodes: LoginNodes;
  readonly #keeper: LinkKeeper<SshConnection>;
  readonly #members = new Set<() => void>();
  /** Streams that run over it, and logins that are about to. */
  #users = 0;
  #disarm: (() => void) | undefined;

  constructor(settings: HostSettings, deps: HopDeps) {
    const { host, roads } = deps;
    const counters = newCounters();
    const traffic = new Traffic(counters);
    // What it carries is other hosts' bulk data, which may keep a sign of life waiting.
    const channels = new ChannelCount(host.clock);
    const single = { singleConnection: () => true };
    const shared = { counters, traffic, channels, clock: host.clock, ...single };
    this.#settings = settings;
    this.#deps = deps;
    this.#nodes = new LoginNodes(settings, { host, roads, onOpen: () => this.wayIsOpen() });
    this.#keeper = new LinkKeeper(settings, host, async (ask) => {
      const connect = ({ door }: LoginNode, asked?: Ask) => connectHost({ ...shared, door }, asked);
      return (await this.#nodes.connect(connect, ask)).link;
    });
    const tellLog = createLinkLog(`${settings.name} (jump)`, host);
    this.#keeper.onState((state) => {
      tellLog(state);
      if (state.kind !== 'ready') return;
      this.#restWhenIdle();
      for (const open of this.#members) open();
    });
  }

  wayIsOpen(): void {
    this.#keeper.wayIsOpen();
  }

  join(target: HostSettings, onOpen: () => void): HostRoad {
    // A name of its own: two hosts may give the same function.
    const member = (): void => onOpen();
    this.#members.add(member);
    return {
      hold: (ask) => this.#hold(target, ask),
      use: () => this.#standing(),
      wake: () => {
        this.#nodes.wakeRoads();
        this.#nodes.rouse();
        this.#keeper.wake();
      },
      leave: () => {
        this.#members.delete(member);
        if (this.#members.size === 0) this.#close();
      },
    };
  }

  async #hold(target: HostSettings, ask: Ask | undefined): Promise<Passage> {
    const connection = await (ask === undefined
      ? this.#keeper.demand()
      : this.#keeper.login(ask)
    ).catch((error: unknown) => {
      throw this.#named(error, target);
    });
    this.#use();
    let held = true;
    return {
      open: () => this.#tunnel(connection, target),
      release: () => {
        if (held) this.#unuse();
        held = false;
      },
    };
  }

  async #tunnel(connection: SshConnection, target: HostSettings): Promise<Wire> {
    const { hostname, port, connectTimeoutMs } = target;
    const heard = connection.bytesRead;
    const opening = connection.openTunnel(hostname, port);
    try {
      const tunnel = await withDeadline(opening, connectTimeoutMs, () => {
        // Too late for us; it must not stay open for nobody.
        opening.then((late) => late.destroy()).catch(() => {});
        if (connection.bytesRead === heard) {
          connection.close(`silent for ${connectTimeoutMs} ms`);
        }
        return new Error('Timed out while connecting from there');
      });
      this.#use();
      tunnel.once('close', () => this.#unuse());
      return tunnel;
    } catch (error) {
      throw this.#named(
        isAppError(error) ? error : tunnelFailure(error, target, this.#settings),
        target,
      );
    }
  }

  /** The same failure, told as that of a host on the way. */
  #named(error: unknown, target: HostSettings): unknown {
    if (!isAppError(error)) return error;
    const { name } = this.#settings;
    const context: ErrorContext = { ...error.context, jump: error.context['jump'] ?? name };
    // Whoever logs in to the host is asked for its jump hosts too.
    if (error.code === 'SSH_NEEDS_LOGIN') context['host'] = target.name;
    const message = `jump host ${name} of host ${target.name}: ${error.message}`;
    return new AppError(error.code, message, { context, cause: error });
  }

  #standing(): JumpUse[] {
    const { road, door } = this.#nodes.current;
    const { name } = this.#settings;
    const here = { name, link: this.#keeper.state.kind, logins: door.budget.use() };
    return [...(road?.use() ?? []), here];
  }

  #use(): void {
    this.#users += 1;
    this.#disarm?.();
  }

  #unuse(): void {
    this.#users -= 1;
    this.#restWhenIdle();
  }

  #restWhenIdle(): void {
    this.#disarm?.();
    if (this.#users > 0) return;
    this.#disarm = this.#deps.host.clock.after(this.#settings.idleCloseMs, () => {
      if (this.#users === 0) this.#keeper.rest();
    });
  }

  #close(): void {
    this.#disarm?.();
    this.#deps.closed();
    this.#keeper.close();
    this.#nodes.close();
  }
}
