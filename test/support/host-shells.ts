/**
 * Shells of root inside the hosts of the bed, each kept for the next command: `docker exec` itself costs more of the
 * processor than nearly all that tests ask a host for.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { quote } from '../../src/script/quote.ts';

export interface HostOutput {
  code: number;
  stdout: string;
  stderr: string;
}

const pools = new Map<string, HostShell[]>();

/** Runs one command to its end in a container, beside others. @throws when its shell ends before it */
export async function runInContainer(
  container: string,
  command: readonly string[],
): Promise<HostOutput> {
  const idle = pools.get(container) ?? [];
  pools.set(container, idle);
  let shell = idle.pop();
  while (shell?.hasEnded) shell = idle.pop();
  shell ??= new HostShell(container);
  const output = await shell.run(command);
  idle.push(shell);
  return output;
}

/** One command at a time. */
class HostShell {
  readonly #child: ChildProcessWithoutNullStreams;
  /** After what a command printed, on both streams. */
  readonly #mark = randomBytes(12).toString('hex');
  #out: Buffer[] = [];
  #err: Buffer[] = [];
  #waiting: PromiseWithResolvers<HostOutput> | undefined;
  #ended: Error | undefined;

  constructor(container: string) {
    this.#child = spawn('docker', ['exec', '-i', container, 'sh']);
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => {});
    stdout.on('data', (chunk: Buffer) => this.#take(this.#out, chunk));
    stderr.on('data', (chunk: Buffer) => this.#take(this.#err, chunk));
    const end = (why: string): void => {
      this.#ended = new Error(`the shell in ${container} ${why}: ${textOf(this.#err)}`);
      this.#waiting?.reject(this.#ended);
    };
    this.#child.once('error', (error) => end(error.message));
    this.#child.once('close', (code) => end(`ended with ${code}`));
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  async run(command: readonly string[]): Promise<HostOutput> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#waiting = Promise.withResolvers();
    this.#out = [];
    this.#err = [];
    this.#hold(true);
    const words = command.map(quote).join(' ');
    const marks = `printf '%s %d\\n' ${this.#mark} "$?"; printf '%s\\n' ${this.#mark} >&2`;
    this.#child.stdin.write(`${words} </dev/null; ${marks}\n`);
    try {
      return await this.#waiting.promise;
    } finally {
      this.#waiting = undefined;
      this.#hold(false);
    }
  }

  #take(into: Buffer[], chunk: Buffer): void {
    into.push(chunk);
    const err = before(this.#err, `${this.#mark}\n`);
    // most of the time only one has come so far
    if (err === undefined) return;
    const out = textOf(this.#out);
    const [whole, code] = new RegExp(`${this.#mark} (\\d+)\\n$`).exec(out) ?? [];
    if (whole === undefined) return;
    this.#waiting?.resolve({
      code: Number(code),
      stdout: out.slice(0, -whole.length),
      stderr: err,
    });
  }

  /** Whoever has no command under way may end; that ends the shell, too. */
  #hold(isBusy: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const handle of [this.#child, stdin as Socket, stdout as Socket, stderr as Socket]) {
      if (isBusy) handle.ref();
      else handle.unref();
    }
  }
}

function before(chunks: readonly Buffer[], end: string): string | undefined {
  const text = textOf(chunks);
  return text.endsWith(end) ? text.slice(0, -end.length) : undefined;
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
