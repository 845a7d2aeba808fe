/**
 * Keeps one control link to a host, and says how it stands.
 *
 *   idle         nobody asked yet            → connecting on the first call or wake()
 *   connecting   a try is under way, callers wait for it → ready | unreachable | refused
 *   ready        the link answers            → connecting when it is lost (unreachable when it
 *                keeps breaking soon after it was made)
 *   unreachable  callers fail at once with the reason of the last try; tried again by itself after a
 *                growing delay, staying unreachable meanwhile → ready | refused; connecting on wake()
 *   refused      the same, but only somebody can mend it: tried again rarely or on wake()
 *   needs-login  the host asks for what only a person can answer: nothing is tried, not on wake()
 *                either, until login() → ready. A link that a person made comes back here when it is
 *                lost, without a try
 *   closed       the end
 */
import { backoffMs } from '../../domain/backoff.ts';
import { AppError, toAppError } from '../../domain/failure.ts';
import type { HostDeps } from '../deps.ts';
import type { Ask, HostLinkState } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { REFUSALS } from './refusals.ts';

export interface KeptLink {
  /** A person answered for it. */
  readonly interactive?: boolean;
  onLost(listener: (error: AppError) => void): void;
  close(): void;
}

/** A link that lived this long was a good one: its loss is met with a try at once. */
const STABLE_AFTER_MS = 10_000;

/** Who was away for so long is hardly back in the next seconds: asked more rarely by this factor. */
const LONG_AWAY_MS = 300_000;
const LONG_AWAY_FACTOR = 3;

export class LinkKeeper<L extends KeptLink> {
  readonly #settings: HostSettings;
  readonly #deps: HostDeps;
  readonly #connect: (ask?: Ask) => Promise<L>;
  readonly #listeners = new Set<(state: HostLinkState) => void>();
  #state: HostLinkState = { kind: 'idle' };
  #link: L | undefined;
  #attempt: Promise<L> | undefined;
  #failure: AppError | undefined;
  #failures = 0;
  #disarm: (() => void) | undefined;
  /** Without a person there is no way in, as far as we know: nothing is tried by ourselves. */
  #needsPerson = false;

  constructor(settings: HostSettings, deps: HostDeps, connect: (ask?: Ask) => Promise<L>) {
    this.#settings = settings;
    this.#deps = deps;
    this.#connect = connect;
  }

  get state(): HostLinkState {
    return this.#state;
  }

  onState(listener: (state: HostLinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The link, made if need be.
   * @throws SSH_* at once while the host is unreachable or refuses; HOST_CALL_ABORTED after close()
   */
  async demand(): Promise<L> {
    switch (this.#state.kind) {
      case 'ready':
        return this.#link as L;
      case 'connecting':
        return await (this.#attempt as Promise<L>);
      case 'idle':
        return await this.#tryAloud();
      case 'unreachable':
      case 'refused':
      case 'needs-login':
        throw this.#failure as AppError;
      case 'closed':
        throw closedError(this.#settings.name);
    }
  }

  wake(): void {
    const { kind } = this.#state;
    if (kind === 'idle' || kind === 'unreachable' || kind === 'refused') {
      this.#tryAloud().catch(() => {});
    }
  }

  /**
   * The link, made with the help of somebody who answers; while one is asked, callers fail as before.
   * @throws SSH_* HOST_CALL_ABORTED
   */
  async login(ask: Ask): Promise<L> {
    if (this.#state.kind === 'ready') return this.#link as L;
    if (this.#state.kind === 'closed') throw closedError(this.#settings.name);
    // A try by ourselves may be under way; it tells whether anybody is needed.
    const tried = await this.#attempt?.catch((error: unknown) => {
      if (toAppError(error).code !== 'SSH_NEEDS_LOGIN') throw error;
    });
    if (tried !== undefined) return tried;
    if (this.#state.kind !== 'needs-login') {
      this.#set({ kind: 'connecting', since: this.#deps.clock.now() });
    }
    return await this.#try(ask);
  }

  /** The host in between can be used again: what failed because of it is tried now. */
  wayIsOpen(): void {
    if (!['unreachable', 'refused', 'needs-login'].includes(this.#state.kind)) return;
    if (this.#failure?.context['jump'] === undefined) return;
    this.#needsPerson = false;
    this.#tryAloud().catch(() => {});
  }

  /** Ends the link and all tries; the next call connects again. */
  rest(): void {
    if (this.#state.kind === 'closed' || this.#state.kind === 'needs-login') return;
    this.#disarm?.();
    const link = this.#link;
    this.#link = undefined;
    this.#set({ kind: 'idle' });
    link?.close();
  }

  close(): void {
    this.#disarm?.();
    this.#set({ kind: 'closed' });
    this.#link?.close();
    this.#link = undefined;
  }

  /** A try that callers may wait for. */
  #tryAloud(): Promise<L> {
    this.#set({ kind: 'connecting', since: this.#deps.clock.now() });
    return this.#try();
  }

  #try(ask?: Ask): Promise<L> {
    this.#disarm?.();
    // A try that runs already serves a wake() as well.
    this.#attempt ??= this.#connect(ask)
      .then(
        (link) => this.#succeed(link),
        (error: unknown) => this.#fail(toAppError(error)),
      )
      .finally(() => {
        this.#attempt = undefined;
      });
    return this.#attempt;
  }

  #succeed(link: L): L {
    if (this.#state.kind === 'closed') {
      link.close();
      throw closedError(this.#settings.name);
    }
    const since = this.#deps.clock.now();
    this.#needsPerson = link.interactive === true;
    this.#link = link;
    this.#set({ kind: 'ready', since });
    link.onLost((error) => this.#lose(link, error, since));
    return link;
  }

  #fail(error: AppError): never {
    if (this.#state.kind === 'closed') throw closedError(this.#settings.name);
    this.#retreat(error);
    throw error;
  }

  #lose(link: L, error: AppError, readySince: number): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    link.close();
    if (this.#state.kind === 'closed') return;
    if (this.#needsPerson) {
      this.#retreat(error);
      return;
    }
    if (this.#deps.clock.now() - readySince >= STABLE_AFTER_MS) this.#failures = 0;
    if (this.#failures > 0) {
      this.#retreat(error);
      return;
    }
    this.#failures += 1;
    this.#tryAloud().catch(() => {});
  }

  /** Stays away until the next try. */
  #retreat(error: AppError): void {
    this.#needsPerson ||= error.code === 'SSH_NEEDS_LOGIN';
    if (this.#needsPerson) {
      this.#awaitPerson(error);
      return;
    }
    const { clock } = this.#deps;
    const now = clock.now();
    const kind = REFUSALS.has(error.code) ? 'refused' : 'unreachable';
    const since = this.#state.kind === kind ? this.#state.since : now;
    const delayMs = this.#delayMs(error, now - since);
    const nextTryAt = now + delayMs;
    const { code, message, hint } = error;
    this.#failures += 1;
    this.#failure = error;
    this.#disarm = clock.after(delayMs, () => void this.#try().catch(() => {}));
    this.#set(
      kind === 'refused'
        ? { kind, since, code, message, hint, nextTryAt }
        : { kind, since, code, message, nextTryAt },
    );
  }

  #awaitPerson(error: AppError): void {
    const { name } = this.#settings;
    const failure =
      error.code === 'SSH_NEEDS_LOGIN'
        ? error
        : new AppError(
            'SSH_NEEDS_LOGIN',
            `somebody must log in to host ${name}: ${error.message}`,
            {
              context: { ...error.context, host: name },
              cause: error,
            },
          );
    const { kind } = this.#state;
    const since =
      kind === 'needs-login' ? (this.#state as { since: number }).since : this.#deps.clock.now();
    const { code, message, hint } = failure;
    this.#failure = failure;
    this.#set({ kind: 'needs-login', since, code, message, hint });
  }

  #delayMs(error: AppError, awayMs: number): number {
    const { clock, random } = this.#deps;
    const { reconnectMinMs, reconnectMaxMs, refusedRetryMs } = this.#settings;
    // A host that turned us away is left alone for as long as its budget says.
    const { retryAt } = error.context;
    if (typeof retryAt === 'number') return Math.max(1, retryAt - clock.now());
    if (REFUSALS.has(error.code)) return refusedRetryMs;
    const capMs = awayMs < LONG_AWAY_MS ? reconnectMaxMs : LONG_AWAY_FACTOR * reconnectMaxMs;
    return backoffMs(this.#failures, { firstMs: reconnectMinMs, capMs }, random());
  }

  #set(state: HostLinkState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

function closedError(host: string): AppError {
  return new AppError('HOST_CALL_ABORTED', `host ${host} was closed`, { context: { host } });
}
