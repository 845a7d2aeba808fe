/**
 * The bridge: one interface for a place where tasks run. What comes in: shell text made by
 * `script/`, paths below the remote root, bytes. What goes out: replies, bytes, AppErrors.
 * Never here: what a task is. Implementations: ssh/ssh-host.ts, local/local-host.ts; both pass
 * test/contract/host.suite.ts. Decorators with the same interface live in wrap/.
 *
 * Promises that hold for every method:
 * - It settles: each call has a deadline or a progress deadline, also when the link dies in the middle.
 * - It rejects with an AppError only; `retry: 'later'` means that the same call may work later.
 * - A call that rejects with SSH_CONNECTION_LOST or HOST_COMMAND_TIMEOUT may or may not have been
 *   carried out on the host: callers send commands that may run twice.
 * - Calls connect when there is no link; a call while the host is unreachable fails at once with
 *   the reason of the last try (the host itself tries again on its own schedule).
 */

import type { Readable, Writable } from 'node:stream';
import type { HostKeys } from './host-keys.ts';

import type { Inspection, LinkInspection } from './inspection.ts';

export type * from './host-keys.ts';
export type * from './inspection.ts';

export type HostLinkState =
  | { kind: 'idle' }
  | { kind: 'connecting'; since: number }
  | { kind: 'ready'; since: number }
  /** `code` and `message` tell why; a try is made by itself at `nextTryAt`. */
  | { kind: 'unreachable'; since: number; code: string; message: string; nextTryAt: number }
  /** Needs somebody: wrong key, unknown or changed host key. Tried again rarely, or on reload. */
  | {
      kind: 'refused';
      since: number;
      code: string;
      message: string;
      hint: string;
      nextTryAt: number;
    }
  /** Wants an answer that only a person has: nothing is tried until login(). */
  | { kind: 'needs-login'; since: number; code: string; message: string; hint: string }
  | { kind: 'closed' };

/** What a host wants to know from whoever logs in. All texts are the host's own. */
export interface LoginQuestion {
  /** The configured name of the host that asks: it may be one on the way to the host. */
  host: string;
  name: string;
  instruction: string;
  prompts: { prompt: string; echo: boolean }[];
}

/**
 * Gets the answers, one for each prompt. They are secrets: never logged, never in an error. The
 * signal fires when the host no longer waits for them.
 */
export type Ask = (question: LoginQuestion, signal: AbortSignal) => Promise<string[]>;

export interface RunOptions {
  /** What the command is for, as it should stand in an error message: "launch of abc.1". */
  purpose: string;
  /** quick: shares the control shell, batched with others; slow: may take long, own shell. Default quick. */
  lane?: 'quick' | 'slow';
  /** Default 15 000 for quick, 300 000 for slow. */
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

export interface RunResult {
  /** Exit code of the script. */
  code: number;
  /** stdout and stderr of the script, in the order written, decoded as UTF-8. */
  output: string;
}

export interface TerminalSize {
  columns: number;
  rows: number;
}

export interface ProcessOptions {
  /** As in RunOptions. */
  purpose: string;
  /** The process gets a terminal; its stderr then comes on stdout. */
  tty?: (TerminalSize & { term: string }) | undefined;
  signal?: AbortSignal | undefined;
}

/** A process with streams of its own. Both outputs must be read, or it stalls. */
export interface RemoteProcess {
  /** Ending it is the end of the process's stdin; the outputs go on. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Empty on a terminal. */
  readonly stderr: Readable;
  /**
   * The exit code as a shell shows it (128+n for a signal), once both outputs were read to their end.
   * Rejects when the link is lost first. @throws SSH_CONNECTION_LOST HOST_CALL_ABORTED
   */
  readonly ended: Promise<number>;
  /** Of the terminal; without one nothing happens. */
  resize(size: TerminalSize): void;
  /** Hangs up and lets go; `ended` rejects. What ignores the hang-up lives on. */
  close(): void;
}

export interface DirectoryEntry {
  name: string;
  kind: 'file' | 'directory' | 'symlink' | 'other';
  size: number;
  mode: number;
  mtimeMs: number;
}

export interface TransferOptions {
  /** Byte to begin at (resume); bytes before it are neither read from the far side nor sent. */
  offset?: number;
  onProgress?: ((bytesDone: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Counts since the host was made; the tests hold budgets against them. */
export interface HostCounters {
  logins: number;
  channels: number;
  /** Writes to a control shell, each a round trip however many commands it carries. */
  shellBatches: number;
  shellCommands: number;
  sftpRequests: number;
  bytesSent: number;
  bytesReceived: number;
}

/** Logins to a host against what it is allowed to cost. */
export interface LoginUse {
  /** So many at once, and the time until one more is earned. */
  burst: number;
  refillMs: number;
  /** What may be used now. */
  left: number;
  /** When the next may be made, if not now. */
  nextAt?: number | undefined;
  /** Begun in the last hour, however they ended. */
  usedLastHour: number;
  /** Those in line for their turn. */
  waiting: number;
  /** Since the host was made: let in at the door but not logged in; turned away at the door. */
  failed: number;
  refused: number;
}

export interface ChannelUse {
  open: number;
  /** Per connection, once the host has refused one. */
  limit?: number | undefined;
  connections: number;
  refused: number;
}

/** What the host may be asked for, and what was. */
export interface HostBudget {
  logins: LoginUse;
  channels: ChannelUse;
  /** The hosts on the way, outermost first; none where the way is straight. */
  jumps: JumpUse[];
  /** In order of preference, where there are several; `logins` and `jumps` are those of the one in use. */
  nodes: LoginNodeUse[];
}

/** One of the login nodes of a host that has several. */
export interface LoginNodeUse {
  /** hostname:port. */
  name: string;
  /** The link is to this one. */
  inUse: boolean;
  logins: LoginUse;
  /** Why it was not used when it was tried last; with `nextTryAt` it is left alone until then. */
  trouble?:
    | { code: string; message: string; hint: string; since: number; nextTryAt?: number | undefined }
    | undefined;
}

/** A jump host: one connection and one budget for all hosts behind it. */
export interface JumpUse {
  name: string;
  link: HostLinkState['kind'];
  logins: LoginUse;
}

export interface Host {
  readonly name: string;

  /** The state of the control link, now. */
  linkState(): HostLinkState;
  /** Calls back on every change of linkState, until the returned function is called. */
  onLinkState(listener: (state: HostLinkState) => void): () => void;
  counters(): HostCounters;
  /** Nothing for a host that needs no logins. */
  budget(): HostBudget | undefined;

  /**
   * Runs POSIX shell text on the host and gives its exit code and output.
   * The text runs in a subshell with stdin from /dev/null; nothing it does to variables, directory
   * or options outlives it. A text that arrives cut in the middle is not run at all. Login-shell
   * noise (motd, rc files) is never part of the output. Output beyond 4 MiB is an error.
   * @throws SSH_* HOST_COMMAND_TIMEOUT HOST_REPLY_INVALID
   */
  run(script: string, options: RunOptions): Promise<RunResult>;

  /**
   * Starts shell text as a process with stdin, stdout and stderr of its own, on a channel of its own;
   * resolves when the text begins to run. No byte of stdin is read by anything but what it starts.
   * @throws SSH_* HOST_COMMAND_TIMEOUT HOST_REPLY_INVALID HOST_TOOL_MISSING HOST_CALL_ABORTED
   */
  openProcess(script: string, options: ProcessOptions): Promise<RemoteProcess>;

  /**
   * Reads as many bytes at `offset` as are asked for, or as there is room for: then the result is a part of that room, which is
   * nobody else's until this resolves; after a failure late answers may still be written there. Shorter only at the end
   * of the file; empty at or past it. Idempotent; does not change the file.
   * @throws SFTP_NOT_FOUND SFTP_DENIED SFTP_FAILED SSH_*
   */
  readRange(path: string, offset: number, room: number | Buffer): Promise<Buffer>;

  /**
   * Entries of a directory without `.` and `..`; symlinks are not followed.
   * @throws SFTP_* SSH_*; OUTPUT_LIMIT beyond LIST_ENTRIES_MAX
   */
  list(path: string): Promise<DirectoryEntry[]>;

  /**
   * Writes the bytes of `source` at `offset` and beyond into the remote file `target`, which is
   * created with mode 0600 when missing and cut at `offset` first. All bytes were acknowledged by
   * the far side when it resolves; they are neither synced nor verified: callers hash and publish.
   * @throws SFTP_* HOST_NO_SPACE SSH_*
   */
  upload(
    source: AsyncIterable<Uint8Array>,
    target: string,
    options?: TransferOptions,
  ): Promise<void>;

  /**
   * Reads the remote regular file from `offset` up to `size` bytes in total and hands the chunks in
   * order to `write`, one at a time (backpressure); each is the writer's own from then on. Ends early
   * without error when the file is shorter.
   */
  download(
    source: { path: string; size: number },
    write: (chunk: Buffer) => Promise<void>,
    options?: TransferOptions,
  ): Promise<void>;

  /** The keys of a host behind SSH; a local host has none. */
  readonly keys?: HostKeys | undefined;
  /**
   * Looks at the way to the host, whatever state the host is in, with one login of its own; nothing
   * is changed there. `tell` is called whenever more was found. Never rejects; the caller closes it.
   */
  inspect(tell: (link: LinkInspection) => void): Promise<Inspection>;

  /** Tries to connect now instead of at `nextTryAt`; does nothing while the host needs a login. */
  wake(): void;
  /**
   * Connects with somebody there who answers what the host asks. Resolves when the link is ready, at
   * once when it is; one at a time.
   * @throws SSH_* SSH_LOGIN_FAILED, what `ask` throws
   */
  login(ask: Ask): Promise<void>;
  /** Ends all links. Running tasks on the host are not touched. */
  close(): Promise<void>;
}
