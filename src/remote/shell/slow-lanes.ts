/** Shells for commands that may take long, so that they never hold up the quick ones. */
import PQueue from 'p-queue';
import { AppError, isAppError } from '../../domain/failure.ts';
import type { RunResult } from '../host.ts';
import { type CommandOptions, ControlShell, type ShellDeps } from './control-shell.ts';

export interface SlowLanesOptions {
  max: number;
  idleCloseMs: number;
}

/** Up to `max` shells, each with one command at a time, opened when needed and closed when idle. */
export class SlowLanes {
  readonly #deps: ShellDeps;
  readonly #idleCloseMs: number;
  readonly #queue: PQueue;
  readonly #idle = new Map<ControlShell, () => void>();
  readonly #all = new Set<ControlShell>();
  #ended: AppError | undefined;

  constructor(deps: ShellDeps, options: SlowLanesOptions) {
    this.#deps = deps;
    this.#idleCloseMs = options.idleCloseMs;
    this.#queue = new PQueue({ concurrency: options.max });
  }

  /**
   * Runs a script in a shell of its own; the deadline counts from its turn on.
   * @throws HOST_COMMAND_TIMEOUT HOST_REPLY_INVALID HOST_CALL_ABORTED SSH_*
   */
  async run(script: string, options: CommandOptions): Promise<RunResult> {
    try {
      return await this.#queue.add(() => this.#runNow(script, options));
    } catch (error) {
      if (!isAppError(error) || error.code !== 'SSH_CHANNEL_REFUSED' || this.#all.size === 0) {
        throw error;
      }
      // The host gives no more channels: make do with the lanes that work, in turn.
      this.#queue.concurrency = this.#all.size;
      return await this.#queue.add(() => this.#runNow(script, options));
    }
  }

  /** Ends all lanes; pending commands reject with `reason`. */
  end(reason: AppError): void {
    this.#ended ??= reason;
    for (const disarm of this.#idle.values()) disarm();
    for (const lane of this.#all) lane.end(reason);
    this.#all.clear();
    this.#idle.clear();
  }

  async #runNow(script: string, options: CommandOptions): Promise<RunResult> {
    if (this.#ended !== undefined) throw this.#ended;
    const lane = this.#take();
    try {
      const result = await lane.run(script, options);
      this.#giveBack(lane);
      return result;
    } catch (error) {
      // A lane that failed may have lost its shell; a fresh one costs little.
      this.#drop(lane);
      throw error;
    }
  }

  #take(): ControlShell {
    const [idle] = this.#idle;
    if (idle !== undefined) {
      const [lane, disarm] = idle;
      disarm();
      this.#idle.delete(lane);
      return lane;
    }
    const lane = new ControlShell(this.#deps);
    this.#all.add(lane);
    return lane;
  }

  #giveBack(lane: ControlShell): void {
    if (!this.#all.has(lane)) return;
    const disarm = this.#deps.clock.after(this.#idleCloseMs, () => this.#drop(lane));
    this.#idle.set(lane, disarm);
  }

  #drop(lane: ControlShell): void {
    this.#idle.delete(lane);
    this.#all.delete(lane);
    lane.end(new AppError('HOST_CALL_ABORTED', 'an idle shell was closed'));
  }
}
