/** Hands transfer links out, one transfer each, makes them when needed and closes idle ones. */
import PQueue from 'p-queue';
import { AppError } from '../../domain/failure.ts';
import type { Clock } from '../clock.ts';
import { refuseAborted, withSignal } from '../settle.ts';
import type { SftpSession } from '../sftp/session.ts';

/** What a transfer link must be able to do. */
export interface BulkLink {
  readonly session: SftpSession;
  readonly usable: boolean;
  close(reason: string): void;
  /** As close, but what waits to be sent is not: some megabytes that nobody wants, in front of who tries again. */
  drop(reason: string): void;
}

export interface TransferLinksOptions {
  max: number;
  idleCloseMs: number;
  clock: Clock;
  open: () => Promise<BulkLink>;
}

export class TransferLinks {
  readonly #options: TransferLinksOptions;
  readonly #queue: PQueue;
  readonly #idle = new Map<BulkLink, () => void>();
  readonly #busy = new Set<BulkLink>();
  #closed = false;

  constructor(options: TransferLinksOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.max });
  }

  /**
   * Calls `transfer` with a session of its own when one is free.
   * @throws SSH_* HOST_CALL_ABORTED, and whatever `transfer` throws
   */
  use(transfer: (session: SftpSession) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const turn = this.#queue.add(async () => {
      refuseAborted(signal);
      if (this.#closed) throw new AppError('HOST_CALL_ABORTED', 'the host was closed');
      const link = await this.#take();
      try {
        await transfer(link.session);
      } finally {
        if (signal?.aborted) link.drop('its transfer was given up');
        this.#giveBack(link);
      }
    });
    return withSignal(turn, signal);
  }

  /** Ends all links; transfers under way reject. */
  close(reason: string): void {
    this.#closed = true;
    this.fail(reason);
  }

  /** Ends the links there are; later transfers make new ones. */
  fail(reason: string): void {
    for (const [link, disarm] of this.#idle) {
      disarm();
      link.close(reason);
    }
    this.#idle.clear();
    for (const link of this.#busy) link.close(reason);
  }

  async #take(): Promise<BulkLink> {
    const link = this.#takeIdle() ?? (await this.#options.open());
    this.#busy.add(link);
    if (this.#closed) link.close('the host was closed');
    return link;
  }

  #takeIdle(): BulkLink | undefined {
    for (const [link, disarm] of this.#idle) {
      disarm();
      this.#idle.delete(link);
      if (link.usable) return link;
      link.close('unusable');
    }
    return undefined;
  }

  #giveBack(link: BulkLink): void {
    this.#busy.delete(link);
    if (this.#closed || !link.usable) {
      link.close('no longer needed');
      return;
    }
    const disarm = this.#options.clock.after(this.#options.idleCloseMs, () => {
      this.#idle.delete(link);
      link.close('idle');
    });
    this.#idle.set(link, disarm);
  }
}
