/**
 * One SFTP channel as promises that settle. Requests that wait too long without any answer end the
 * session, since an SFTP server works through its requests one by one and a stuck one blocks all.
 */
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { classifySftp } from '../classify.ts';
import type { Clock } from '../clock.ts';
import type { HostCounters } from '../host.ts';
import { isAttributes, isHandle, isNames } from './answers.ts';

/** What a session needs to know about the house. */
export interface SessionDeps {
  clock: Clock;
  counters: HostCounters;
  context: ErrorContext;
  progressTimeoutMs: number;
}

export interface RemoteFile {
  path: string;
  handle: Buffer;
}

/** The largest request OpenSSH takes; others are asked what they take, or get the protocol's minimum. */
const REQUEST_MAX_BYTES = 255 * 1024;
const REQUEST_SAFE_BYTES = 32 * 1024;
/** ssh2 loses every answer after 2^31 requests on one session; a new one is made long before. */
const REQUESTS_PER_SESSION = 2 ** 30;

type Done<T> = (error: Error | null | undefined, value: T) => void;

export class SftpSession {
  readonly #raw: SFTPWrapper;
  readonly #deps: SessionDeps;
  readonly #pending = new Set<(error: AppError) => void>();
  readonly maxRead: number;
  readonly maxWrite: number;
  #disarm: (() => void) | undefined;
  #dead: AppError | undefined;
  #requests = 0;

  constructor(raw: SFTPWrapper, deps: SessionDeps) {
    this.#raw = raw;
    this.#deps = deps;
    // ssh2 asks for limits@openssh.com by itself and keeps the answer in these two fields.
    const limits = raw as unknown as { _maxReadLen?: number; _maxWriteLen?: number };
    this.maxRead = Math.min(REQUEST_MAX_BYTES, limits._maxReadLen ?? REQUEST_SAFE_BYTES);
    this.maxWrite = Math.min(REQUEST_MAX_BYTES, limits._maxWriteLen ?? REQUEST_SAFE_BYTES);
    raw.on('error', (error: Error) => this.#lose(error.message));
    raw.on('close', () => this.#lose('the SFTP channel was closed'));
    raw.on('end', () => this.#lose('the SFTP server ended'));
  }

  /** Whether new work may begin on it. */
  get usable(): boolean {
    return this.#dead === undefined && this.#requests < REQUESTS_PER_SESSION;
  }

  async open(path: string, flags: number, mode = 0o600): Promise<RemoteFile> {
    const handle = await this.#ask<Buffer>(`open ${path}`, (done) =>
      this.#raw.open(path, flags, mode, done),
    );
    return { path, handle: this.#fit(handle, isHandle, `open ${path}`) };
  }

  close({ path, handle }: RemoteFile): Promise<void> {
    return this.#ask(`close ${path}`, (done) => this.#raw.close(handle, (error) => done(error)));
  }

  /** Fills the room from its beginning, and tells how far; less does not mean the end, nothing does. */
  read({ path, handle }: RemoteFile, position: number, room: Buffer): Promise<number> {
    return this.#ask(`read ${path}`, (done) =>
      this.#raw.read(handle, room, 0, room.length, position, (error, count) => done(error, count)),
    );
  }

  /** At most `maxWrite` bytes. */
  write({ path, handle }: RemoteFile, data: Buffer, position: number): Promise<void> {
    return this.#ask(`write ${path}`, (done) =>
      this.#raw.write(handle, data, 0, data.length, position, (error) => done(error)),
    );
  }

  async fileStat({ path, handle }: RemoteFile): Promise<Stats> {
    const what = `stat ${path}`;
    const stats = await this.#ask<Stats>(what, (done) => this.#raw.fstat(handle, done));
    return this.#fit(stats, isAttributes, what);
  }

  /** Does not follow a symlink. */
  async linkStat(path: string): Promise<Stats> {
    const what = `stat ${path}`;
    const stats = await this.#ask<Stats>(what, (done) => this.#raw.lstat(path, done));
    return this.#fit(stats, isAttributes, what);
  }

  truncate({ path, handle }: RemoteFile, size: number): Promise<void> {
    return this.#ask(`truncate ${path}`, (done) =>
      this.#raw.fsetstat(handle, { size } as Stats, (error) => done(error)),
    );
  }

  async openDirectory(path: string): Promise<RemoteFile> {
    const what = `list ${path}`;
    const handle = await this.#ask<Buffer>(what, (done) => this.#raw.opendir(path, done));
    return { path, handle: this.#fit(handle, isHandle, what) };
  }

  /** The next entries; undefined when there are no more. */
  async readDirectory({ path, handle }: RemoteFile): Promise<FileEntryWithStats[] | undefined> {
    const what = `list ${path}`;
    const answer = await this.#ask<'end' | FileEntryWithStats[]>(what, (done) =>
      (this.#raw as unknown as ReadsDirectory).readdir(handle, { full: true }, (error, entries) => {
        const ended = (error as { code?: unknown } | undefined)?.code === 1;
        done(ended ? undefined : error, ended ? 'end' : entries);
      }),
    );
    return answer === 'end' ? undefined : this.#fit(answer, isNames, what);
  }

  /** Bytes an ordinary user may still write there; undefined where the server cannot tell. */
  async freeBytes(path: string): Promise<number | undefined> {
    try {
      const { f_frsize: unit, f_bavail: blocks } = await this.#ask<FileSystemFacts>(
        `statvfs ${path}`,
        (done) => this.#raw.ext_openssh_statvfs(path, done as Done<unknown>),
      );
      return Number(unit) * Number(blocks);
    } catch {
      return undefined;
    }
  }

  /** Ends the session; what is pending on it rejects. */
  end(reason = 'the SFTP session was ended'): void {
    this.#lose(reason);
  }

  /** The answer, if it is one to what was asked. @throws SFTP_FAILED */
  #fit<T>(answer: unknown, fits: (answer: unknown) => answer is T, what: string): T {
    if (fits(answer)) return answer;
    const { context } = this.#deps;
    const message = `SFTP on ${context['host']}: ${what}: the server answered something else`;
    throw new AppError('SFTP_FAILED', message, { context });
  }

  #ask<T>(what: string, send: (done: Done<T>) => void): Promise<T> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { counters, context } = this.#deps;
    counters.sftpRequests += 1;
    this.#requests += 1;
    this.#pending.add(reject);
    if (this.#pending.size === 1) this.#rearm();
    const answer: Done<T> = (error, value) => {
      if (!this.#pending.delete(reject)) return;
      this.#rearm();
      const doing = { what: `SFTP on ${context['host']}: ${what}`, context };
      if (error) reject(classifySftp(error, doing));
      else resolve(value);
    };
    try {
      send(answer);
    } catch (error) {
      answer(error as Error, undefined as T);
    }
    return promise;
  }

  #rearm(): void {
    this.#disarm?.();
    const { clock, progressTimeoutMs } = this.#deps;
    this.#disarm =
      this.#pending.size === 0
        ? undefined
        : clock.after(progressTimeoutMs, () =>
            this.#lose(`no SFTP answer within ${progressTimeoutMs} ms`),
          );
  }

  #lose(reason: string): void {
    if (this.#dead !== undefined) return;
    const { context } = this.#deps;
    const message = `SFTP on ${context['host']}: ${reason}`;
    this.#dead = new AppError('SSH_CONNECTION_LOST', message, { context });
    this.#disarm?.();
    for (const reject of this.#pending) reject(this.#dead);
    this.#pending.clear();
    this.#raw.end();
  }
}

/** Unless it is asked for all entries, the library looks into whatever came before we can; its types do not know. */
interface ReadsDirectory {
  readdir(
    handle: Buffer,
    options: { full: true },
    done: (error: Error | undefined, entries: FileEntryWithStats[]) => void,
  ): void;
}

interface FileSystemFacts {
  f_frsize: number | bigint;
  f_bavail: number | bigint;
}
