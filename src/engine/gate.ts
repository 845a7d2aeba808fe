/**
 * A host that can be shut: while it is paused nothing reaches the far side, whoever asks, and its
 * links are closed; only doctor, which a person asks for, may look. Opened again it is a fresh host behind the same face.
 */
import { AppError } from '../domain/failure.ts';
import type {
  Host,
  HostBudget,
  HostCounters,
  HostLinkState,
  Inspection,
  LinkInspection,
} from '../remote/host.ts';

export interface Gate {
  readonly host: Host;
  /** Closes all links; calls under way and calls to come fail with HOST_PAUSED. */
  pause: () => Promise<void>;
  /** Nothing is connected before the next call. */
  resume: () => void;
}

/** A gate before the host that `open` makes; with `paused` none is made yet. */
export function createGate(name: string, open: () => Host, paused: boolean): Gate {
  const host = new GatedHost(name, open);
  if (!paused) host.resume();
  return { host, pause: () => host.pause(), resume: () => host.resume() };
}

/** A gate that never opens: nobody may look either; who calls the host hears `why`. */
export function createShutGate(name: string, why: () => AppError): Gate {
  const open = (): never => {
    throw why();
  };
  const host = new GatedHost(name, open, why);
  return { host, pause: async () => {}, resume: () => {} };
}

class GatedHost implements Host {
  readonly name: string;
  readonly #open: () => Host;
  /** What is said to who calls while the gate is shut. */
  readonly #why: () => AppError;
  readonly #listeners = new Set<(state: HostLinkState) => void>();
  #inner: Host | undefined;
  #unhear = (): void => {};
  /** Counts of the hosts that were closed. */
  #past: HostCounters | undefined;

  constructor(name: string, open: () => Host, why = () => paused(name)) {
    this.name = name;
    this.#open = open;
    this.#why = why;
  }

  resume(): void {
    if (this.#inner !== undefined) return;
    this.#inner = this.#open();
    this.#unhear = this.#inner.onLinkState((state) => this.#tell(state));
  }

  async pause(): Promise<void> {
    const inner = this.#inner;
    if (inner === undefined) return;
    this.#past = this.counters();
    this.#inner = undefined;
    this.#unhear();
    await inner.close();
    this.#tell({ kind: 'closed' });
  }

  linkState(): HostLinkState {
    return this.#inner?.linkState() ?? { kind: 'closed' };
  }

  onLinkState(listener: (state: HostLinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counters(): HostCounters {
    const now = this.#inner?.counters();
    return now === undefined ? (this.#past ?? NONE) : sum(this.#past ?? NONE, now);
  }

  budget(): HostBudget | undefined {
    return this.#inner?.budget();
  }

  login(...args: Parameters<Host['login']>): Promise<void> {
    return this.#through((host) => host.login(...args));
  }

  run(...args: Parameters<Host['run']>): ReturnType<Host['run']> {
    return this.#through((host) => host.run(...args));
  }

  readRange(...args: Parameters<Host['readRange']>): ReturnType<Host['readRange']> {
    return this.#through((host) => host.readRange(...args));
  }

  list(...args: Parameters<Host['list']>): ReturnType<Host['list']> {
    return this.#through((host) => host.list(...args));
  }

  openProcess(...args: Parameters<Host['openProcess']>): ReturnType<Host['openProcess']> {
    return this.#through((host) => host.openProcess(...args));
  }

  upload(...args: Parameters<Host['upload']>): Promise<void> {
    return this.#through((host) => host.upload(...args));
  }

  download(...args: Parameters<Host['download']>): Promise<void> {
    return this.#through((host) => host.download(...args));
  }

  /** @throws HOST_PAUSED: asking for keys is sending, too */
  get keys(): Host['keys'] {
    if (this.#inner === undefined) throw this.#why();
    return this.#inner.keys;
  }

  async inspect(tell: (link: LinkInspection) => void): Promise<Inspection> {
    if (this.#inner !== undefined) return await this.#inner.inspect(tell);
    const passing = this.#open();
    const inspection = await passing.inspect(tell);
    const close = (): void => {
      inspection.close();
      void passing.close();
    };
    return { link: inspection.link, run: inspection.run, close };
  }

  wake(): void {
    this.#inner?.wake();
  }

  async close(): Promise<void> {
    await this.#inner?.close();
  }

  /** What fails because the gate was shut in the middle says so, not that a link broke. */
  async #through<T>(act: (host: Host) => Promise<T>): Promise<T> {
    const inner = this.#inner;
    if (inner === undefined) throw this.#why();
    try {
      return await act(inner);
    } catch (error) {
      throw this.#inner === undefined ? this.#why() : error;
    }
  }

  #tell(state: HostLinkState): void {
    for (const listener of this.#listeners) listener(state);
  }
}

function paused(host: string): AppError {
  return new AppError('HOST_PAUSED', `host ${host} is paused`, { context: { host } });
}

const NONE: HostCounters = {
  logins: 0,
  channels: 0,
  shellBatches: 0,
  shellCommands: 0,
  sftpRequests: 0,
  bytesSent: 0,
  bytesReceived: 0,
};

function sum(a: HostCounters, b: HostCounters): HostCounters {
  const keys = Object.keys(b) as (keyof HostCounters)[];
  return Object.fromEntries(
    keys.map((key) => [key, (a[key] ?? 0) + b[key]]),
  ) as unknown as HostCounters;
}
