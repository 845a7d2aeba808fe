/**
 * A long-lived `/bin/sh` that carries commands in batches. What comes in: scripts with deadlines.
 * What goes out: exit code and output of each. One batch is under way at a time; what arrives
 * meanwhile forms the next one, a single write. Works over anything that opens a shell: an SSH
 * channel or a child process. Never here: what the scripts mean. Read next: wrap.ts, frames.ts.
 *
 * A command that keeps the shell past a deadline costs that shell: it is abandoned, everything that
 * was already written to it rejects (it may or may not have run), the rest goes to a new one.
 * A background process that a script leaves behind must not keep the script's stdout, or its later
 * words get lost between replies.
 */
import assert from 'node:assert';
import { randomBytes } from 'node:crypto';
import { AppError, type ErrorCode, type ErrorContext } from '../../domain/failure.ts';
import type { Clock } from '../clock.ts';
import type { HostCounters, RunResult } from '../host.ts';
import { FrameReader } from './frames.ts';
import { wrapCommand } from './wrap.ts';

export interface ShellPort {
  write(text: string): void;
  /** Ends the shell without waiting for what still runs in it. */
  abandon(): void;
  onData(listener: (chunk: Buffer) => void): void;
  onEnd(listener: () => void): void;
  /** What was said beside the data, for the message of a shell that ended before it answered. */
  complaint?(): string;
}

export interface ShellDeps {
  /** Opens a fresh shell; settles by itself. */
  open: () => Promise<ShellPort>;
  clock: Clock;
  counters: HostCounters;
  context: ErrorContext;
}

export interface CommandOptions {
  purpose: string;
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

interface Command {
  text: string;
  nonce: string;
  options: CommandOptions;
  resolve: (result: RunResult) => void;
  reject: (error: AppError) => void;
  /** Stops the deadline. An aborted command keeps it while the shell is busy with it. */
  disarm: () => void;
}

const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;
const BATCH_LIMIT_CHARS = 256 * 1024;

export class ControlShell {
  readonly #deps: ShellDeps;
  #port: ShellPort | undefined;
  #reader = new FrameReader(OUTPUT_LIMIT_BYTES);
  #opening = false;
  #answered = false;
  #ended: AppError | undefined;
  #waiting: Command[] = [];
  readonly #written = new Map<string, Command>();

  constructor(deps: ShellDeps) {
    this.#deps = deps;
  }

  get busy(): boolean {
    return this.#waiting.length > 0 || this.#written.size > 0;
  }

  /**
   * Runs a script; the deadline counts from now.
   * @throws HOST_COMMAND_TIMEOUT HOST_REPLY_INVALID HOST_CALL_ABORTED SSH_*
   */
  run(script: string, options: CommandOptions): Promise<RunResult> {
    assert(!script.includes('\0'), 'a shell script cannot hold NUL');
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const nonce = randomBytes(16).toString('hex');
    const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
    const text = wrapCommand(script, nonce);
    const disarm = this.#deps.clock.after(options.deadlineMs, () => this.#expire(command));
    const command: Command = { text, nonce, options, resolve, reject, disarm };
    this.#waiting.push(command);
    const abort = (): void => this.#abort(command);
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted === true) abort();
    // Commands of the same turn of the event loop share the first batch too.
    queueMicrotask(() => this.#pump());
    return promise.finally(() => options.signal?.removeEventListener('abort', abort));
  }

  /** Ends the shell; whatever is pending rejects with `reason`, and so does every later call. */
  end(reason: AppError): void {
    this.#ended ??= reason;
    this.#dropPort();
    this.#rejectAll([...this.#written.values(), ...this.#waiting], reason);
    this.#written.clear();
    this.#waiting = [];
  }

  #pump(): void {
    if (this.#written.size > 0 || this.#waiting.length === 0 || this.#opening) return;
    if (this.#port === undefined) {
      this.#open();
      return;
    }
    const batch = this.#nextBatch();
    for (const command of batch) {
      this.#written.set(command.nonce, command);
      this.#reader.expect(command.nonce);
    }
    this.#deps.counters.shellBatches += 1;
    this.#deps.counters.shellCommands += batch.length;
    this.#port.write(batch.map((command) => command.text).join(''));
  }

  #nextBatch(): Command[] {
    let chars = 0;
    const end = this.#waiting.findIndex((command, index) => {
      chars += command.text.length;
      return index > 0 && chars > BATCH_LIMIT_CHARS;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  #open(): void {
    this.#opening = true;
    this.#deps.open().then(
      (port) => {
        this.#opening = false;
        if (this.#ended !== undefined) port.abandon();
        else this.#attach(port);
      },
      (error: AppError) => {
        this.#opening = false;
        this.#rejectAll(this.#waiting.splice(0), error);
      },
    );
  }

  #attach(port: ShellPort): void {
    this.#port = port;
    this.#answered = false;
    this.#reader = new FrameReader(OUTPUT_LIMIT_BYTES);
    port.onData((chunk) => {
      if (this.#port === port) this.#receive(chunk);
    });
    port.onEnd(() => {
      if (this.#port === port) this.#lose(port);
    });
    this.#pump();
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#reader.feed(chunk)) {
      this.#answered = true;
      const command = this.#written.get(frame.nonce);
      this.#written.delete(frame.nonce);
      if (command === undefined) continue;
      command.disarm();
      if (frame.output === undefined) {
        this.#refuse(
          command,
          'HOST_REPLY_INVALID',
          `printed more than ${OUTPUT_LIMIT_BYTES} bytes`,
        );
      } else {
        command.resolve({ code: frame.code, output: frame.output.toString('utf8') });
      }
    }
    this.#pump();
  }

  /** The shell ended by itself: a command killed it, or the account gives no shell. */
  #lose(port: ShellPort): void {
    const words = this.#reader.noise || (port.complaint?.() ?? '');
    const said = words === '' ? '' : `; it said: ${words}`;
    const code = this.#answered ? 'SSH_CONNECTION_LOST' : 'HOST_REPLY_INVALID';
    this.#port = undefined;
    for (const command of this.#written.values()) {
      this.#refuse(command, code, `the shell on the host ended before it answered${said}`);
    }
    this.#written.clear();
    this.#pump();
  }

  #expire(command: Command): void {
    const after = `no answer within ${command.options.deadlineMs} ms`;
    if (!this.#written.has(command.nonce)) {
      this.#waiting = this.#waiting.filter((other) => other !== command);
      this.#refuse(command, 'HOST_COMMAND_TIMEOUT', `${after}; it was not sent`);
      return;
    }
    this.#dropPort();
    for (const written of this.#written.values()) {
      this.#refuse(
        written,
        'HOST_COMMAND_TIMEOUT',
        written === command ? after : `held up by another command: ${after}`,
      );
    }
    this.#written.clear();
    this.#pump();
  }

  /** What was written cannot be called back: its reply is awaited as before and then dropped. */
  #abort(command: Command): void {
    this.#waiting = this.#waiting.filter((other) => other !== command);
    const reason = 'given up before the host answered';
    if (!this.#written.has(command.nonce)) this.#refuse(command, 'HOST_CALL_ABORTED', reason);
    else command.reject(this.#failure(command, 'HOST_CALL_ABORTED', reason));
  }

  #dropPort(): void {
    this.#port?.abandon();
    this.#port = undefined;
  }

  #refuse(command: Command, code: ErrorCode, reason: string): void {
    command.disarm();
    command.reject(this.#failure(command, code, reason));
  }

  #failure(command: Command, code: ErrorCode, reason: string): AppError {
    const { context } = this.#deps;
    const where = context['host'] === undefined ? '' : ` on ${context['host']}`;
    return new AppError(code, `${command.options.purpose}${where}: ${reason}`, { context });
  }

  #rejectAll(commands: Command[], error: AppError): void {
    for (const command of commands) {
      command.disarm();
      command.reject(error);
    }
  }
}
