/**
 * A host behind SSH: puts link, shells, SFTP and transfer links together as the Host of host.ts.
 * Read next: keeper.ts (when to connect), connect.ts (how), ../shell/control-shell.ts, ../sftp/.
 */

import { AppError, toAppError } from '../../domain/failure.ts';
import { asSetNow } from '../clock.ts';
import { newCounters } from '../counters.ts';
import { fillDeps, type HostDeps } from '../deps.ts';
import type {
  Ask,
  DirectoryEntry,
  Host,
  HostBudget,
  HostCounters,
  HostLinkState,
  Inspection,
  LinkInspection,
  ProcessOptions,
  RemoteProcess,
  RunOptions,
  RunResult,
  TransferOptions,
} from '../host.ts';
import type { HostKeys } from '../host-keys.ts';
import { explainFailedWrite } from '../no-space.ts';
import { roomOf } from '../room.ts';
import type { HostSettings } from '../settings.ts';
import { withSignal } from '../settle.ts';
import { downloadFrom, readRangeFrom } from '../sftp/download.ts';
import { listDirectory } from '../sftp/list.ts';
import type { SftpSession } from '../sftp/session.ts';
import { uploadTo } from '../sftp/upload.ts';
import { ChannelCount } from './channel-count.ts';
import type { ConnectionDeps } from './connection.ts';
import { type ControlLink, openControlLink } from './control-link.ts';
import { createHostTrust } from './host-trust.ts';
import { inspectHost } from './inspect/inspect.ts';
import { LinkKeeper } from './keeper.ts';
import { createLinkLog } from './link-log.ts';
import { type LoginNode, LoginNodes } from './login-nodes.ts';
import { Roads } from './roads.ts';
import { startSshProcess } from './ssh-process.ts';
import { Traffic } from './traffic.ts';
import { openTransferLink } from './transfer-link.ts';
import { type BulkLink, TransferLinks } from './transfer-links.ts';

const DEADLINE_MS = { quick: 15_000, slow: 300_000 } as const;
const SHARED_TRANSFERS_MAX = 2;

/** Makes the host; nothing is connected before the first call. Never throws. */
export function createSshHost(settings: HostSettings, deps: Partial<HostDeps> = {}): Host {
  return new SshHost(settings, fillDeps(deps));
}

class SshHost implements Host {
  readonly name: string;
  readonly keys: HostKeys | undefined;
  readonly #deps: HostDeps;
  readonly #transferLinks: number;
  readonly #traffic: Traffic;
  readonly #shared: Omit<ConnectionDeps, 'door'> & HostDeps;
  readonly #nodes: LoginNodes;
  readonly #channels: ChannelCount;
  readonly #tellLog: (state: HostLinkState) => void;
  readonly #keeper: LinkKeeper<ControlLink>;
  readonly #transfers: TransferLinks;
  /** Everything goes over the control link: by the configuration, or because a person made it. */
  #single: boolean;

  constructor(settings: HostSettings, deps: HostDeps) {
    const { name, transferLinks, idleCloseMs, trustedKeysFile: file } = settings;
    const counters = newCounters();
    const roads = deps.roads ?? new Roads(deps);
    this.#channels = new ChannelCount(deps.clock);
    this.#tellLog = createLinkLog(name, deps);
    this.name = name;
    this.#deps = deps;
    this.#transferLinks = transferLinks;
    this.#traffic = new Traffic(counters);
    this.#single = transferLinks === 0;
    const onOpen = (): void => this.#keeper.wayIsOpen();
    this.#nodes = new LoginNodes(settings, { host: deps, roads, onOpen });
    this.keys =
      file === undefined ? undefined : createHostTrust({ ...deps, file, nodes: this.#nodes });
    this.#shared = {
      ...deps,
      counters,
      channels: this.#channels,
      traffic: this.#traffic,
      singleConnection: () => this.#single,
    };
    this.#keeper = new LinkKeeper(settings, deps, (ask) => this.#connect(ask));
    this.#keeper.onState((state) => this.#follow(state));
    this.#transfers = new TransferLinks({
      max: transferLinks === 0 ? SHARED_TRANSFERS_MAX : transferLinks,
      idleCloseMs,
      clock: deps.clock,
      open: () => (this.#single ? this.#shareControlLink() : this.#openLink()),
    });
  }

  linkState(): HostLinkState {
    return asSetNow(this.#keeper.state, this.#deps.clock);
  }

  onLinkState(listener: (state: HostLinkState) => void): () => void {
    return this.#keeper.onState(listener);
  }

  counters(): HostCounters {
    return this.#traffic.totals();
  }

  budget(): HostBudget {
    const { door, road } = this.#nodes.current;
    return {
      logins: door.budget.use(),
      channels: this.#channels.use(),
      jumps: road?.use() ?? [],
      nodes: this.#nodes.use(this.#keeper.state.kind === 'ready'),
    };
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    const { purpose, lane = 'quick', signal } = options;
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS[lane];
    const link = await withSignal(this.#keeper.demand(), signal);
    return await link[lane].run(script, { purpose, deadlineMs, signal });
  }

  async openProcess(script: string, options: ProcessOptions): Promise<RemoteProcess> {
    const link = await withSignal(this.#keeper.demand(), options.signal);
    const own = await link.openProcess(options.tty);
    return await startSshProcess(own, { script, options, host: this.name });
  }

  async readRange(path: string, offset: number, room: number | Buffer): Promise<Buffer> {
    return await readRangeFrom(await this.#session(), path, { offset, room: roomOf(room) });
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    return await listDirectory(await this.#session(), path);
  }

  async upload(
    source: AsyncIterable<Uint8Array>,
    target: string,
    options: TransferOptions = {},
  ): Promise<void> {
    const now = (): number => this.#deps.clock.now();
    await this.#transfer(options, async (session) => {
      try {
        await uploadTo(session, { source, target, now }, options);
      } catch (error) {
        const run: Host['run'] = (script, runOptions) => this.run(script, runOptions);
        throw await explainFailedWrite({ error: toAppError(error), target, session, run });
      }
    });
  }

  async download(
    source: { path: string; size: number },
    write: (chunk: Buffer) => Promise<void>,
    options: TransferOptions = {},
  ): Promise<void> {
    const now = (): number => this.#deps.clock.now();
    await this.#transfer(options, (session) =>
      downloadFrom(session, { ...source, write, now }, options),
    );
  }

  async inspect(tell: (link: LinkInspection) => void): Promise<Inspection> {
    return await inspectHost(
      this.#nodes.all.map((node) => this.#depsOf(node)),
      tell,
    );
  }

  wake(): void {
    // A host that needs a login is left alone, and so is the way to it.
    if (['unreachable', 'refused'].includes(this.#keeper.state.kind)) {
      this.#nodes.wakeRoads();
      this.#nodes.rouse();
    }
    this.#keeper.wake();
  }

  async login(ask: Ask): Promise<void> {
    this.#nodes.rouse();
    await this.#keeper.login(ask);
  }

  async close(): Promise<void> {
    this.#keeper.close();
    this.#nodes.close();
    this.#transfers.close(`host ${this.name} was closed`);
  }

  async #connect(ask?: Ask): Promise<ControlLink> {
    const before = this.#nodes.current;
    const open = (node: LoginNode, asked?: Ask) => openControlLink(this.#depsOf(node), asked);
    const { node, link } = await this.#nodes.connect(open, ask);
    if (this.#nodes.all.length > 1)
      this.#deps.logger.info({ host: this.name, node: node.name }, 'a login node is used');
    // Files that only one node has, and what it has not written to the others yet, stay with it.
    if (node !== before) this.#transfers.fail(`host ${this.name} is reached by ${node.name} now`);
    this.#nodes.unpin();
    node.address = link.address;
    this.#single = this.#transferLinks === 0 || link.interactive;
    return link;
  }

  #depsOf({ door }: LoginNode): ConnectionDeps & HostDeps {
    return { ...this.#shared, door };
  }

  async #session(): Promise<SftpSession> {
    const link = await this.#keeper.demand();
    return await link.sftp.session();
  }

  async #transfer(
    { signal }: TransferOptions,
    work: (session: SftpSession) => Promise<void>,
  ): Promise<void> {
    // The control link decides whether the host is there; a transfer does not knock on its own.
    await withSignal(this.#keeper.demand(), signal);
    await this.#transfers.use(work, signal);
  }

  /** Some sites ask only from the second connection on: then there is no second one. */
  async #openLink(): Promise<BulkLink> {
    const node = this.#nodes.current;
    try {
      const link = await openTransferLink(this.#depsOf(node));
      if (node === this.#nodes.current) return link;
      link.close('not needed');
      const { name } = this.#nodes.current;
      throw new AppError('SSH_CONNECTION_LOST', `host ${this.name} is reached by ${name} now`);
    } catch (error) {
      if (toAppError(error).code !== 'SSH_NEEDS_LOGIN') throw error;
      this.#single = true;
      return await this.#shareControlLink();
    }
  }

  async #shareControlLink(): Promise<BulkLink> {
    const session = await this.#session();
    return { session, usable: false, close: (): void => {}, drop: (): void => {} };
  }

  #follow(state: HostLinkState): void {
    this.#tellLog(state);
    if (!['unreachable', 'refused', 'needs-login'].includes(state.kind)) return;
    this.#nodes.unpin();
    this.#transfers.fail(`host ${this.name} is ${state.kind}`);
  }
}
