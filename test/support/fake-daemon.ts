/** The real API over a FakeService on a real socket in its own directory, and the CLI as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../src/api/server.ts';
import { listen } from '../../src/api/socket.ts';
import { FakeService } from './fake-service.ts';

const quiet = (): void => {};
export const QUIET_LOGGER = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const CLI_ENTRY = join(import.meta.dirname, 'cli-entry.ts');

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: Buffer;
}

export class FakeDaemon {
  readonly service = new FakeService();
  readonly directory = mkdtempSync(join(tmpdir(), 'towline-cli-'));
  readonly socketPath = join(this.directory, 'run', 'towline.sock');
  private api: FastifyInstance | undefined;
  private readonly children = new Set<ChildProcess>();

  async start(): Promise<void> {
    this.api = createApi({
      service: this.service,
      logger: QUIET_LOGGER,
      version: '0.0.0-test',
      specDefaults: () => ({}),
      uploadDir: join(this.directory, 'uploads'),
    });
    await listen(this.api, this.socketPath);
  }

  async stop(): Promise<void> {
    await this.api?.close();
    this.api = undefined;
  }

  async end(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: this.directory, TOWLINE_SOCKET: this.socketPath };
  }

  /** Starts the CLI; stdin is /dev/null unless told. */
  spawn(args: string[], stdin: 'ignore' | number | 'pipe' = 'ignore'): ChildProcess {
    const child = spawn(process.execPath, [CLI_ENTRY, ...args], {
      cwd: this.directory,
      env: this.env(),
      stdio: [stdin, 'pipe', 'pipe'],
    });
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  async cli(args: string[], stdin: 'ignore' | number = 'ignore'): Promise<CliResult> {
    return collect(this.spawn(args, stdin));
  }

  /** A whole shell line in which `towline` is the CLI. */
  async shell(line: string): Promise<CliResult> {
    const script = `towline() { ${process.execPath} ${CLI_ENTRY} "$@"; }\n${line}`;
    const child = spawn('bash', ['-c', script], {
      cwd: this.directory,
      env: this.env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.add(child);
    return collect(child);
  }
}

export async function collect(child: ChildProcess): Promise<CliResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (...end) => resolve(end));
  });
  return { code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}
