/**
 * The streams of one attempt: writes take turns, whoever waits for news is woken, and what is new
 * gets to the disk in time.
 *
 *   absent ─first append─→ open ─finish('ended')→ ended ─finish('sealed')→ sealed
 *                          open ─finish('sealed')────────────────────────→ sealed
 */
import assert from 'node:assert/strict';
import { AppError } from '../domain/failure.ts';
import type { StreamName } from '../domain/task.ts';
import { AttemptFiles, type FileSettings } from './attempt-files.ts';
import type { End, StreamCounts } from './checkpoint.ts';
import { isFull } from './disk-error.ts';

export interface AttemptSettings extends FileSettings {
  /** New bytes after which they are synced. */
  checkpointBytes: number;
  /** Time after which new bytes are synced however few they are. */
  checkpointAfterMs: number;
}

export class Attempt {
  readonly #files: AttemptFiles;
  readonly #settings: AttemptSettings;
  readonly #waiters = new Set<() => void>();
  #loaded: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #cancelTimer: (() => void) | undefined;
  #lateFailure: unknown;
  #abandoned: AppError | undefined;

  constructor(dir: string, settings: AttemptSettings) {
    this.#files = new AttemptFiles(dir, settings);
    this.#settings = settings;
  }

  /** True when this object can be forgotten: all there is to know is on disk. */
  get settled(): boolean {
    return !this.#files.exists || this.#files.end !== 'open';
  }

  /** As of the last change; call ready() once before. */
  get end(): End {
    return this.#files.end;
  }

  /** As of the last change; call ready() once before. */
  get lengths(): StreamCounts {
    return this.#files.lengths;
  }

  /** Reads what is on disk, once. @throws STORE_CORRUPT; DAEMON_STOPPING, TASK_NOT_FOUND when abandoned. */
  async ready(): Promise<this> {
    this.#loaded ??= this.#files.load();
    await this.#loaded;
    this.check();
    return this;
  }

  /** @throws DAEMON_STOPPING, TASK_NOT_FOUND when the files are no longer to be used. */
  check(): void {
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }

  /** At most one chunk from `offset`, which must be below the length. @throws STORE_CORRUPT */
  read(stream: StreamName, offset: number): Promise<Buffer> {
    return this.#files.read(stream, offset);
  }

  /** Resolves at the next change, or when the signal aborts. */
  changed(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal?.addEventListener('abort', done);
    });
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    for (const done of this.#waiters) done();
  }

  /** Adds bytes at the end of a stream. @throws STORE_FULL, STORE_IO; the length is to be asked again then. */
  append(stream: StreamName, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const name = `${this.#files.dir}/${stream}`;
      const length = this.lengths[stream];
      assert(this.end === 'open', `${name} has ended; nothing can be added`);
      assert(offset === length, `${name} has ${length} bytes; nothing can be added at ${offset}`);
      if (bytes.length === 0) return;
      await this.#files.append(stream, bytes);
      this.wake();
      if (this.#files.unsaved >= this.#settings.checkpointBytes) await this.#save();
      else this.#saveSoon();
    });
  }

  /** No more will come; counts, where given, must be the lengths. On disk when it resolves. @throws as append */
  finish(end: Exclude<End, 'open'>, counts?: StreamCounts): Promise<void> {
    return this.#inTurn(async () => {
      const { stdout, stderr } = this.lengths;
      assert.deepEqual({ stdout, stderr, ...counts }, { stdout, stderr }, this.#files.dir);
      if (this.end === end || this.end === 'sealed') return;
      await this.#files.save(end);
      this.#cancelTimer?.();
      await this.#files.close();
      this.wake();
    });
  }

  /** Deletes the files; followers are told. @throws STORE_IO when that is not possible. */
  remove(): Promise<void> {
    this.#abandon(new AppError('TASK_NOT_FOUND', `the streams in ${this.#files.dir} were removed`));
    return this.#alone(() => this.#files.remove());
  }

  /** Saves what is new and closes the files; followers are told. @throws STORE_FULL, STORE_IO */
  close(): Promise<void> {
    this.#abandon(new AppError('DAEMON_STOPPING', 'the daemon is stopping'));
    return this.#alone(async () => {
      try {
        if (this.#files.unsaved > 0) await this.#files.save('open');
      } finally {
        await this.#files.close();
      }
    });
  }

  #abandon(reason: AppError): void {
    this.#abandoned ??= reason;
    this.#cancelTimer?.();
    this.wake();
  }

  async #save(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { unsaved } = this.#files;
    try {
      await this.#files.save('open');
    } catch (error) {
      // No room for the checkpoint, but the bytes are still there: it can wait until there is.
      if (!isFull(error) || this.#files.unsaved < unsaved) throw error;
      this.#saveSoon();
    }
  }

  #saveSoon(): void {
    const { timer, checkpointAfterMs } = this.#settings;
    this.#cancelTimer ??= timer.after(checkpointAfterMs, () => {
      this.#cancelTimer = undefined;
      void this.#inTurn(() => this.#save()).catch((error: unknown) => {
        this.#lateFailure = error;
      });
    });
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    return this.#alone(async () => {
      await this.ready();
      const failure = this.#lateFailure;
      this.#lateFailure = undefined;
      if (failure !== undefined) throw failure as Error;
      await act();
    });
  }

  #alone(act: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }
}
