/** The built program against the test bed: a daemon of the benchmark's own, and its CLI. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const REPO = join(import.meta.dirname, '../..');
export const BED = join(REPO, '.testbed');
export const IMAGE = 'docker://registry:5000/mini:1';
const MAIN = join(REPO, 'dist/main.js');

export const execute = promisify(execFile);

export interface BenchDaemon extends AsyncDisposable {
  readonly dir: string;
  /** The remote root. */
  readonly root: string;
  cli(...args: string[]): Promise<string>;
  /** Samples of GET /metrics by name. */
  metrics(): Promise<Map<string, number>>;
}

/** Starts it and waits until it is ready. */
export async function startDaemon(): Promise<BenchDaemon> {
  const dir = mkdtempSync(join(tmpdir(), 'towline-bench-'));
  const root = `/home/alice/bench-${dir.slice(dir.lastIndexOf('-') + 1)}`;
  const socket = join(dir, 'run/t.sock');
  mkdirSync(join(dir, 'run'), { mode: 0o700 });
  const config = join(dir, 'towline.ini');
  writeFileSync(config, configuration({ dir, root, socket }));
  const env = { ...process.env, TOWLINE_SOCKET: socket, TOWLINE_CONFIG: config };
  const child = spawn(process.execPath, [MAIN, 'daemon', '--config', config], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('"msg":"ready"')) resolve();
    });
    void ended.then(() => reject(new Error(`the daemon ended: ${said}`)));
  });
  return {
    dir,
    root,
    cli: async (...args) => (await execute(process.execPath, [MAIN, ...args], { env })).stdout,
    metrics: async () => samples(await get(socket, '/metrics')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      await onVm('rm', '-rf', root);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A command as root in the bed's host, outside of every connection that is measured. */
export async function onVm(...command: string[]): Promise<string> {
  return (await execute('docker', ['exec', 'towline-vm', ...command])).stdout;
}

function configuration(place: { dir: string; root: string; socket: string }): string {
  return `[daemon]
state_dir = ${place.dir}/state
socket = ${place.socket}
log_level = info
[defaults]
host = vm
[host.vm]
hostname = 127.0.0.1
port = 2210
user = alice
identity_file = ${BED}/id_ed25519
known_hosts = ${BED}/known_hosts
root = ${place.root}
insecure_registries = registry:5000
`;
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      reply.on('end', () => resolve(text));
    });
    call.on('error', reject);
    call.end();
  });
}

function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}
