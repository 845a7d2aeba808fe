/**
 * A host that lies: an SSH server on loopback whose shells and files are those of the bed's vm, but whose
 * SFTP passes through the test, packet by packet. Whoever logs in is let in as alice.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { BED_NAME } from '../bed.ts';
import { makeKeyPair } from '../ssh-keys.ts';
import { framed, idOf, Packets, SFTP, stringAt } from './sftp-packets.ts';

/** What a request is about: its type and the path, also where only a handle was named. */
export interface Asked {
  type: number;
  id: number;
  path: string;
  /** Of a READ or a WRITE. */
  offset: number;
  length: number;
}

/** Packets to send in the place of this one; undefined ends the connection instead. */
export type Tamper = (packet: Buffer, asked: Asked) => Buffer[] | undefined;

export interface HostileHost extends AsyncDisposable {
  readonly port: number;
  /** A line for known_hosts. */
  readonly knownHosts: string;
  /** Replies to the daemon pass through here; so do its requests. */
  onReply: Tamper;
  onRequest: Tamper;
}

export const honest: Tamper = (packet) => [packet];

const VM = `${BED_NAME}-vm`;

/** Starts one that is honest until told otherwise. What comes in at the door runs with this umask. */
export async function startHostileHost({ umask = '022' } = {}): Promise<HostileHost> {
  const keys = await mkdtemp(join(tmpdir(), 'hostile-host-'));
  const key = await makeKeyPair(join(keys, 'key'));
  const children = new Set<ChildProcess>();
  const connections = new Set<Connection>();
  const masked = ['sh', '-c', `umask ${umask}; exec "$0" "$@"`];
  const inVm = (...command: string[]): ChildProcess => {
    const child = spawn('docker', [
      'exec',
      '-i',
      '-u',
      'alice',
      '-w',
      '/home/alice',
      VM,
      ...masked,
      ...command,
    ]);
    child.stdin?.on('error', () => {});
    children.add(child);
    child.once('close', () => children.delete(child));
    return child;
  };
  const server = new ssh2.Server({ hostKeys: [readFileSync(key.path)] }, (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    connection.on('error', () => {});
    connection.on('authentication', (attempt) => attempt.accept());
    connection.on('session', (accept) => {
      const session = accept();
      session.on('signal', (done) => done?.());
      session.on('exec', (open, _, { command }) => {
        const child = inVm(...command.split(' '));
        const channel = open();
        joinShell(channel, child);
      });
      session.on('subsystem', (open) => {
        const child = inVm('/usr/lib/openssh/sftp-server');
        joinSftp(host, { connection, channel: open(), child });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host: HostileHost = {
    port,
    knownHosts: `[127.0.0.1]:${port} ${key.publicKey}\n`,
    onReply: honest,
    onRequest: honest,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.end();
      for (const child of children) child.kill();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(keys, { recursive: true });
    },
  };
  return host;
}

function joinShell(channel: ServerChannel, child: ChildProcess): void {
  channel.on('data', (chunk: Buffer) => child.stdin?.write(chunk));
  channel.on('end', () => child.stdin?.end());
  channel.on('close', () => child.stdin?.end());
  channel.on('error', () => {});
  child.stdout?.on('data', (chunk: Buffer) => channel.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
  child.once('close', (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
}

interface Joint {
  connection: Connection;
  channel: ServerChannel;
  child: ChildProcess;
}

function joinSftp(host: HostileHost, { connection, channel, child }: Joint): void {
  const asked = new Map<number, Asked>();
  const paths = new Map<string, string>();
  const requests = new Packets();
  const replies = new Packets();
  const pass = (tampered: Buffer[] | undefined, write: (chunk: Buffer) => void): void => {
    if (tampered === undefined) connection.end();
    else for (const packet of tampered) write(framed(packet));
  };
  channel.on('error', () => {});
  channel.on('close', () => child.stdin?.end());
  channel.on('data', (chunk: Buffer) => {
    for (const packet of requests.push(chunk)) {
      const request = understand(packet, paths);
      asked.set(request.id, request);
      pass(host.onRequest(packet, request), (bytes) => child.stdin?.write(bytes));
    }
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const packet of replies.push(chunk)) {
      const about = packet[0] === SFTP.VERSION ? undefined : asked.get(idOf(packet));
      if (about !== undefined && packet[0] === SFTP.HANDLE) {
        paths.set(stringAt(packet, 5).toString('hex'), about.path);
      }
      pass(about === undefined ? [packet] : host.onReply(packet, about), (bytes) =>
        channel.write(bytes),
      );
    }
  });
  child.once('close', () => channel.end());
}

const BY_PATH: ReadonlySet<number> = new Set([SFTP.OPEN, SFTP.LSTAT, SFTP.OPENDIR]);
const BY_HANDLE: ReadonlySet<number> = new Set([
  SFTP.CLOSE,
  SFTP.READ,
  SFTP.WRITE,
  SFTP.FSTAT,
  SFTP.FSETSTAT,
  SFTP.READDIR,
]);

function understand(packet: Buffer, paths: ReadonlyMap<string, string>): Asked {
  const type = packet[0] ?? 0;
  const about = { type, id: packet.length > 4 ? idOf(packet) : 0, path: '', offset: 0, length: 0 };
  if (BY_PATH.has(type)) return { ...about, path: stringAt(packet, 5).toString() };
  if (!BY_HANDLE.has(type)) return about;
  const handle = stringAt(packet, 5);
  const path = paths.get(handle.toString('hex')) ?? '';
  if (type !== SFTP.READ && type !== SFTP.WRITE) return { ...about, path };
  const after = 9 + handle.length;
  const offset = Number(packet.readBigUInt64BE(after));
  return { ...about, path, offset, length: packet.readUInt32BE(after + 8) };
}
