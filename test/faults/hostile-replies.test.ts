/**
 * Goal: whatever an SFTP server answers, a call on the host ends in bounded time and memory with a code
 * that says what happened, and the next call works. Method: a host whose SFTP replies pass through the
 * test, which puts others in their place.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isAppError } from '../../src/domain/failure.ts';
import type { Host } from '../../src/remote/host.ts';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { KEYS, onHost } from '../support/bed.ts';
import {
  type HostileHost,
  honest,
  startHostileHost,
  type Tamper,
} from '../support/faults/hostile-host.ts';
import { attributes, data, handle, names, SFTP, status } from '../support/faults/sftp-packets.ts';

const DIR = `/tmp/hostile-replies-${process.pid}`;
const PINS = join(tmpdir(), `hostile-replies-${process.pid}`);
let hostile: HostileHost;
let host: Host;

beforeAll(async () => {
  const make = `mkdir -p ${DIR} && echo content >${DIR}/file && chown -R alice ${DIR}`;
  await onHost('vm', 'sh', '-c', make);
  hostile = await startHostileHost();
  writeFileSync(PINS, hostile.knownHosts);
  host = createSshHost({
    ...HOST_TUNING,
    name: 'liar',
    hostname: '127.0.0.1',
    port: hostile.port,
    user: 'alice',
    identityFiles: [KEYS.plain],
    jumps: [],
    knownHostsFiles: [PINS],
    loginBurst: 50,
  });
});

afterAll(async () => {
  await host.close();
  await hostile[Symbol.asyncDispose]();
  await onHost('vm', 'rm', '-rf', DIR);
  rmSync(PINS);
});

afterEach(() => {
  hostile.onReply = honest;
});

const CALLS = {
  list: () => host.list(DIR),
  read: () => host.readRange(`${DIR}/file`, 0, 100),
  download: () => host.download({ path: `${DIR}/file`, size: 8 }, async () => {}),
  upload: () => host.upload(inOnePiece(Buffer.from('some bytes')), `${DIR}/up`),
};

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function failure(call: () => Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call();
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  return { code: 'none', message: '' };
}

/** Puts this in the place of every reply to requests of one type about our directory. */
function answer(type: number, make: (id: number) => Buffer): Tamper {
  return (packet, asked) =>
    asked.type === type && asked.path.startsWith(DIR) ? [make(asked.id)] : [packet];
}

async function expectLife(): Promise<void> {
  hostile.onReply = honest;
  expect((await host.list(DIR)).map(({ name }) => name)).toContain('file');
}

type Case = [what: string, call: keyof typeof CALLS, type: number, make: (id: number) => Buffer];

const H = Buffer.from('h');
const WRONG: Case[] = [
  ['OK where a handle is due', 'read', SFTP.OPEN, (id) => status(id, 0)],
  ['attributes where a handle is due', 'read', SFTP.OPEN, (id) => attributes(id)],
  ['OK where a handle is due', 'list', SFTP.OPENDIR, (id) => status(id, 0)],
  ['names where a handle is due', 'upload', SFTP.OPEN, (id) => names(id, [{ name: 'x' }])],
  ['OK where names are due', 'list', SFTP.READDIR, (id) => status(id, 0)],
  ['a handle where names are due', 'list', SFTP.READDIR, (id) => handle(id, H)],
  ['OK where attributes are due', 'download', SFTP.LSTAT, (id) => status(id, 0)],
  ['a handle where attributes are due', 'download', SFTP.LSTAT, (id) => handle(id, H)],
  ['names without attributes', 'list', SFTP.READDIR, (id) => names(id, [{ name: 'x' }])],
];

it.each(WRONG)('%s is SFTP_FAILED (%s), and the next call works', async (_, call, type, make) => {
  hostile.onReply = answer(type, make);
  expect((await failure(CALLS[call])).code).toBe('SFTP_FAILED');
  await expectLife();
});

it('OK where bytes are due is the end of the file, never bytes from our own memory', async () => {
  hostile.onReply = answer(SFTP.READ, (id) => status(id, 0));
  expect((await host.readRange(`${DIR}/file`, 0, 100)).length).toBe(0);
  await expectLife();
});

it('bytes beyond those asked for are not taken', async () => {
  hostile.onReply = answer(SFTP.READ, (id) => data(id, Buffer.alloc(200_000, 'x')));
  const got: Buffer[] = [];
  await host.download({ path: `${DIR}/file`, size: 8 }, async (chunk) => void got.push(chunk));
  expect(Buffer.concat(got).toString()).toBe('xxxxxxxx');
  await expectLife();
});

it('a packet of absurd length ends the connection, and a new one is made', async () => {
  hostile.onReply = answer(SFTP.READDIR, () => Buffer.alloc(300_000));
  expect((await failure(CALLS.list)).code).toBe('SSH_CONNECTION_LOST');
  await expectLife();
});

const file = (name: string) => ({ name, mode: 0o100644, size: 1 });

it.each([
  ['that never ends', Array.from({ length: 100 }, (_, n) => file(`${'x'.repeat(2000)}${n}`))],
  ['that never ends and never names anything', []],
  ['with a name of 200,000 characters', [file('x'.repeat(200_000))]],
])(
  'row 31: a listing %s is given up in bounded memory',
  async (_, entries) => {
    hostile.onReply = answer(SFTP.READDIR, (id) => names(id, entries));
    const before = process.memoryUsage().rss;
    const { code, message } = await failure(CALLS.list);
    expect([code, message]).toEqual(['SFTP_FAILED', expect.stringMatching(/listing/)]);
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * 2 ** 20);
    await expectLife();
  },
  60_000,
);

it('row 31: a listing of 100,000 names is read', async () => {
  let left = 100;
  const next = answer(SFTP.READDIR, (id) => {
    left -= 1;
    if (left < 0) return status(id, 1, 'end');
    return names(
      id,
      Array.from({ length: 1000 }, (_, n) => file(`${left}-${n}`)),
    );
  });
  // a listing reads one answer ahead: the last one of the listing before may be on its way
  let begun = false;
  hostile.onReply = (packet, asked) => {
    begun ||= asked.type === SFTP.OPENDIR;
    return begun ? next(packet, asked) : [packet];
  };
  expect((await host.list(DIR)).length).toBe(100_000);
});

it('replies in any order reach each their own request', async () => {
  const bytes = Buffer.from(Array.from({ length: 900_000 }, (_, n) => (n * 7 + (n >> 8)) % 251));
  await host.upload(inOnePiece(bytes), `${DIR}/order`);
  const held: Buffer[] = [];
  hostile.onReply = (packet, asked) => {
    if (asked.type !== SFTP.READ) return [packet];
    held.push(packet);
    return held.length < 4 && asked.offset + 300_000 < bytes.length
      ? []
      : held.splice(0).toReversed();
  };
  const got: Buffer[] = [];
  const source = { path: `${DIR}/order`, size: bytes.length };
  await host.download(source, async (chunk) => void got.push(chunk));
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
});

it('words of the host are told short and without control characters', async () => {
  const words = `no\n\u001b[2Jhint: do evil things\u202e${'x'.repeat(100_000)}`;
  hostile.onReply = answer(SFTP.OPEN, (id) => status(id, 4, words));
  const { code, message } = await failure(CALLS.read);
  expect(code).toBe('SFTP_FAILED');
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(message.length).toBeLessThan(1500);
});
