/**
 * An attempt's directory: `stdout`, `stderr` and `checkpoint.json`. Knows what of it is on disk for
 * sure. One caller at a time changes it (attempt.ts); anybody may read.
 */
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../domain/failure.ts';
import { STREAMS, type StreamName } from '../domain/task.ts';
import { between } from '../fault.ts';
import {
  type Checkpoint,
  checkpointPath,
  type End,
  encodeCheckpoint,
  readCheckpoint,
  type StreamCounts,
  writeCheckpoint,
} from './checkpoint.ts';
import { diskError } from './disk-error.ts';
import { StreamFile } from './stream-file.ts';
import type { Timer } from './timer.ts';
import { makeDirectory, syncDirectory } from './write-durably.ts';

export interface FileSettings {
  bootId: string;
  /** Look only; see spool.ts. */
  readOnly: boolean;
  /** Time after which a file that nobody uses is closed. */
  idleMs: number;
  timer: Timer;
}

export class AttemptFiles {
  readonly dir: string;
  readonly #bootId: string;
  readonly #readOnly: boolean;
  readonly #files: Record<StreamName, StreamFile>;
  /** The last checkpoint; undefined while the directory is not there. */
  #checkpoint: Checkpoint | undefined;
  /** True when the directory's own name is on disk. */
  #named = false;

  constructor(dir: string, settings: FileSettings) {
    this.dir = dir;
    this.#bootId = settings.bootId;
    this.#readOnly = settings.readOnly;
    this.#files = {
      stdout: new StreamFile(join(dir, 'stdout'), settings),
      stderr: new StreamFile(join(dir, 'stderr'), settings),
    };
  }

  get end(): End {
    return this.#checkpoint?.end ?? 'open';
  }

  get exists(): boolean {
    return this.#checkpoint !== undefined;
  }

  get lengths(): StreamCounts {
    return { stdout: this.#files.stdout.length, stderr: this.#files.stderr.length };
  }

  /** Bytes that a loss of power would take. */
  get unsaved(): number {
    const saved = this.#checkpoint;
    if (saved === undefined) return 0;
    const { stdout, stderr } = this.lengths;
    return stdout + stderr - saved.stdout - saved.stderr;
  }

  /** Learns what is there, without what an unclean boot may have spoilt. @throws STORE_CORRUPT */
  async load(): Promise<void> {
    const checkpoint = await readCheckpoint(this.dir);
    for (const stream of STREAMS) await this.#files[stream].load();
    if (this.#readOnly) return this.#show(checkpoint);
    if (checkpoint?.bootId !== this.#bootId) await this.#cutBack(checkpoint);
    if (checkpoint === undefined) return;
    this.#checkpoint = checkpoint;
    if (checkpoint.end !== 'open') return this.#checkWhole(checkpoint);
    if (checkpoint.bootId !== this.#bootId) await this.save('open');
  }

  /** Adds bytes at the end of a stream, all or none. @throws STORE_FULL, STORE_IO */
  async append(stream: StreamName, bytes: Uint8Array): Promise<void> {
    await this.#create();
    await between('spool.append', () => this.#files[stream].append(bytes));
  }

  /** At most one chunk from `offset`, which must be below the length. @throws STORE_CORRUPT */
  read(stream: StreamName, offset: number): Promise<Buffer> {
    return this.#files[stream].read(offset);
  }

  /**
   * Makes all that is there durable. When the disk refuses, what it may have lost is cut off: the
   * host still has it.
   * @throws STORE_FULL, STORE_IO
   */
  async save(end: End): Promise<void> {
    await this.#create();
    const lengths = this.lengths;
    try {
      for (const stream of STREAMS) {
        if (lengths[stream] > (this.#checkpoint?.[stream] ?? 0)) await this.#files[stream].sync();
      }
    } catch (error) {
      await this.#cutBack(this.#checkpoint);
      throw error;
    }
    const checkpoint = { bootId: this.#bootId, ...lengths, end };
    await this.#onDisk(async () => {
      await writeCheckpoint(this.dir, checkpoint);
      if (!this.#named) await syncDirectory(dirname(this.dir));
    });
    this.#named = true;
    this.#checkpoint = checkpoint;
  }

  /** Deletes the directory. @throws STORE_IO when that is not possible. */
  async remove(): Promise<void> {
    await this.close();
    await between('spool.remove', () =>
      this.#onDisk(() => rm(this.dir, { recursive: true, force: true })),
    );
    this.#checkpoint = undefined;
  }

  /** Closes the files, or leaves that to whoever is reading just now. */
  async close(): Promise<void> {
    for (const stream of STREAMS) await this.#files[stream].close();
  }

  /** The first checkpoint is not synced: without it the streams count as empty, as they are. */
  async #create(): Promise<void> {
    if (this.#checkpoint !== undefined) return;
    const root = dirname(this.dir);
    const checkpoint: Checkpoint = { bootId: this.#bootId, stdout: 0, stderr: 0, end: 'open' };
    await this.#onDisk(async () => {
      if (await makeDirectory(root)) await syncDirectory(dirname(root));
      await between('spool.create', () => makeDirectory(this.dir));
      await writeFile(checkpointPath(this.dir), encodeCheckpoint(checkpoint), { mode: 0o600 });
    });
    this.#checkpoint = checkpoint;
  }

  #show(checkpoint: Checkpoint | undefined): void {
    for (const stream of STREAMS) this.#files[stream].hide(checkpoint?.[stream] ?? 0);
    this.#checkpoint = checkpoint;
  }

  async #cutBack(to: StreamCounts | undefined): Promise<void> {
    for (const stream of STREAMS) {
      const file = this.#files[stream];
      await file.cut(Math.min(file.length, to?.[stream] ?? 0));
    }
  }

  /** An ended attempt may be gone from its host: nothing can fill a hole any more. */
  #checkWhole(checkpoint: Checkpoint): void {
    for (const stream of STREAMS) {
      const { path, length } = this.#files[stream];
      if (length === checkpoint[stream]) continue;
      throw new AppError(
        'STORE_CORRUPT',
        `${path} has ${length} bytes; it ended with ${checkpoint[stream]}`,
        { context: { path } },
      );
    }
  }

  async #onDisk<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw diskError(error, this.dir);
    }
  }
}
