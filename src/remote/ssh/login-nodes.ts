/**
 * The login nodes of a host: one for most, several with the same files for a cluster. Each has a door, a
 * login budget and an address of its own. A connection goes to the first that can be used; all that
 * is done over it, transfers included, goes to that same node. Decisions: node-choice.ts.
 */
import { type AppError, toAppError } from '../../domain/failure.ts';
import { asSetNow } from '../clock.ts';
import type { HostDeps } from '../deps.ts';
import type { Ask, LoginNodeUse } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import type { Door } from './connect.ts';
import { adoptHostKeys } from './key-rotation.ts';
import { isOfTheNode, type NodeTrouble, nodesToTry, noNodeLeft, troubleOf } from './node-choice.ts';
import { newKeyMemory } from './offers.ts';
import type { HostRoad, Roads } from './roads.ts';

export interface LoginNode {
  /** hostname:port, for people. */
  readonly name: string;
  readonly door: Door;
  readonly road: HostRoad | undefined;
  /** Of the links that are up: a name for many machines must not give a mixed host. */
  address: string | undefined;
}

interface LoginNodesDeps {
  host: HostDeps;
  roads: Pick<Roads, 'budget' | 'handshakes' | 'to'>;
  /** A jump host on the way to one of them can be used again. */
  onOpen: () => void;
}

export class LoginNodes {
  readonly all: readonly LoginNode[];
  readonly #settings: HostSettings;
  readonly #deps: HostDeps;
  readonly #troubles: (NodeTrouble | undefined)[];
  #current: LoginNode | undefined;
  #closed = false;

  constructor(settings: HostSettings, deps: LoginNodesDeps) {
    this.#settings = settings;
    this.#deps = deps.host;
    this.all = [settings, ...(settings.furtherNodes ?? [])].map((node) => openNode(node, deps));
    this.#troubles = this.all.map(() => undefined);
  }

  /** The one connected to last; the preferred one before that. */
  get current(): LoginNode {
    return this.#current ?? (this.all[0] as LoginNode);
  }

  /**
   * Connects to the first node that can be used; none is tried twice.
   * @throws SSH_* HOST_* of the nodes; what `connect` throws that is no fault of a node
   */
  async connect<L>(
    connect: (node: LoginNode, ask?: Ask) => Promise<L>,
    ask?: Ask,
  ): Promise<{ node: LoginNode; link: L }> {
    for (const index of nodesToTry(this.#troubles, this.#deps.clock.now())) {
      const node = this.all[index] as LoginNode;
      try {
        const link = await connect(node, ask);
        this.#troubles[index] = undefined;
        this.#current = node;
        return { node, link };
      } catch (thrown) {
        const error = toAppError(thrown);
        if (this.all.length === 1 || this.#closed || !isOfTheNode(error)) throw thrown;
        this.#note(index, error);
      }
    }
    throw noNodeLeft(
      this.#settings.name,
      this.#troubles.flatMap((trouble) => trouble?.error ?? []),
    );
  }

  /** Somebody may have mended what was wrong with those that rest. */
  rouse(): void {
    for (const trouble of this.#troubles) if (trouble !== undefined) trouble.restsUntil = 0;
  }

  /** What was wrong with these is mended: they are as if never tried. */
  pardon(nodes: readonly LoginNode[]): void {
    for (const node of nodes) this.#troubles[this.all.indexOf(node)] = undefined;
  }

  /** The next link may reach another machine behind the same name. */
  unpin(): void {
    for (const node of this.all) node.address = undefined;
  }

  /** How each stands; nothing for a host with a single one. `linked`: there is a link, to the current one. */
  use(linked: boolean): LoginNodeUse[] {
    if (this.all.length === 1) return [];
    return this.all.map((node, index) => ({
      name: node.name,
      inUse: linked && node === this.current,
      logins: node.door.budget.use(),
      trouble: this.#shown(this.#troubles[index]),
    }));
  }

  wakeRoads(): void {
    for (const { road } of this.all) road?.wake();
  }

  close(): void {
    this.#closed = true;
    for (const { road } of this.all) road?.leave();
  }

  #shown(trouble: NodeTrouble | undefined): LoginNodeUse['trouble'] {
    if (trouble === undefined) return undefined;
    const { error, since, restsUntil } = trouble;
    const { code, message, hint } = error;
    const { clock } = this.#deps;
    const nextTryAt = restsUntil > clock.now() ? restsUntil : undefined;
    return asSetNow({ code, message, hint, since, nextTryAt }, clock);
  }

  /** Told loudly when it is new. */
  #note(index: number, error: AppError): void {
    const { name, refusedRetryMs } = this.#settings;
    const { clock, logger } = this.#deps;
    const before = this.#troubles[index];
    this.#troubles[index] = troubleOf(error, { now: clock.now(), refusedRetryMs, before });
    const { code, message, hint } = error;
    const facts = { host: name, node: this.all[index]?.name, code, message, hint };
    logger[before?.error.code === code ? 'debug' : 'warn'](facts, 'a login node cannot be used');
  }
}

function openNode(settings: HostSettings, { host, roads, onOpen }: LoginNodesDeps): LoginNode {
  const road = roads.to(settings, onOpen);
  const door: Door = {
    settings,
    budget: roads.budget(settings),
    handshakes: roads.handshakes,
    memory: newKeyMemory(),
    road,
    pinnedAddress: () => node.address,
    onHostKeys: adoptHostKeys(settings, host),
  };
  const { hostname, port } = settings;
  const node: LoginNode = { name: `${hostname}:${port}`, door, road, address: undefined };
  return node;
}
