/**
 * Goal: a transfer that is cut goes on or begins anew, and bytes that are not those of the far side never
 * get a name here or there, whoever is to blame.
 * Method: whole tasks through a host whose SFTP passes through the test; what is done to a file is told by
 * its name. The known bytes are the oracle, and the names in the output directory.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import {
  type HostileHost,
  honest,
  startHostileHost,
  type Tamper,
} from '../support/faults/hostile-host.ts';
import { data, names, SFTP, status } from '../support/faults/sftp-packets.ts';
import { until } from '../support/until.ts';

const CHUNK = 32 * 1024;
/** Spread over a file of 32 chunks. */
const CUTS = [0, 13, 31];

const PINS = join(tmpdir(), `towline-pins-${process.pid}`);
let hostile: HostileHost;
let daemon: TestDaemon;

beforeAll(async () => {
  hostile = await startHostileHost();
  daemon = makeDaemon({
    vm: {
      port: String(hostile.port),
      known_hosts: PINS,
      login_burst: '100',
      max_tasks: '16',
    },
  });
  writeFileSync(PINS, hostile.knownHosts);
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await hostile[Symbol.asyncDispose]();
  rmSync(PINS);
});

afterEach(() => {
  hostile.onReply = honest;
  hostile.onRequest = honest;
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

it('row 20: transfers cut at any 32 KiB end with the right bytes', async () => {
  const cuts = new Set<string>();
  /** True once for each file, when the chunk at which it is to be cut is under way. */
  const cutsHere = (path: string, wanted: number | undefined, end: number): boolean => {
    if (wanted === undefined || cuts.has(path) || end <= wanted * CHUNK) return false;
    cuts.add(path);
    return true;
  };
  hostile.onReply = (packet, { type, path, offset, length }) => {
    const wanted = /cut-(\d+)-out$/.exec(path)?.[1];
    const cut = type === SFTP.READ && wanted !== undefined;
    return cut && cutsHere(path, Number(wanted), offset + length) ? undefined : [packet];
  };
  // Objects on the host are named by their content: the order of their coming tells which cut is theirs.
  const uploads = new Set<string>();
  hostile.onRequest = (packet, { type, path, offset, length }) => {
    if (type !== SFTP.WRITE || !path.includes('/store/')) return [packet];
    uploads.add(path);
    const wanted = CUTS[[...uploads].indexOf(path)];
    return cutsHere(path, wanted, offset + length) ? undefined : [packet];
  };
  const sent: Buffer[] = CUTS.map(() => randomBytes(32 * CHUNK));
  const inputs = CUTS.flatMap((cut, index) => {
    const file = join(daemon.dir, `in-${cut}`);
    writeFileSync(file, sent[index] as Buffer);
    return ['--input', `${file}:in-${cut}`];
  });
  const local = join(daemon.dir, 'cut');
  const outputs = CUTS.flatMap((cut) => ['--output', `cut-${cut}-out:${local}/`]);
  const copy = CUTS.map((cut) => `cat /mnt/task/inputs/in-${cut} >cut-${cut}-out`).join('; ');
  const id = await daemon.submit(...inputs, ...outputs, MINI, '--', 'sh', '-c', copy);
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(await daemon.show(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(CUTS.map((cut) => sha256(readFileSync(join(local, `cut-${cut}-out`))))).toEqual(
    sent.map(sha256),
  );
  expect(cuts.size).toBe(2 * CUTS.length);
  expect(readdirSync(local).length).toBe(CUTS.length);
});

const SIZE = 10 * CHUNK;

/** What is done to the bytes of a file whose name says so. */
const DAMAGE: Record<string, (id: number, bytes: Buffer, offset: number) => Buffer> = {
  'bit flipped': (id, bytes) =>
    data(id, Buffer.concat([Buffer.from([~(bytes[0] ?? 0)]), bytes.subarray(1)])),
  'first chunk repeated': (id, bytes, offset) =>
    data(id, offset === 0 ? bytes : Buffer.alloc(bytes.length, 7)),
  'early end': (id, bytes, offset) => (offset >= 2 * CHUNK ? status(id, 1) : data(id, bytes)),
  refused: (id) => status(id, 4, 'Failure'),
};

it('row 20: a server that repeats, alters, cuts short or refuses chunks is not believed; once it is honest the tasks end right', async () => {
  hostile.onReply = (packet, { type, path, offset, id }) => {
    const damage = DAMAGE[basename(path)];
    if (damage === undefined || type !== SFTP.READ || packet[0] !== SFTP.DATA) return [packet];
    return [damage(id, packet.subarray(9), offset)];
  };
  const local = join(daemon.dir, 'damaged');
  const make = `head -c ${SIZE} /dev/urandom >"$1"; sha256sum <"$1"`;
  const tasks: [name: string, id: string][] = [];
  for (const name of Object.keys(DAMAGE)) {
    const command = [MINI, '--', 'sh', '-c', make, 'sh', name];
    tasks.push([name, await daemon.submit('--output', `${name}:${local}/`, ...command)]);
  }
  for (const [name, id] of tasks) {
    const code = name === 'refused' ? 'SFTP_FAILED' : 'OUTPUT_CHECKSUM_MISMATCH';
    await until(
      async () => (await daemon.show(id)).blocked?.reason === code,
      () => name,
      60_000,
    );
  }
  const named = (): string[] => readdirSync(local).filter((name) => !name.startsWith('.towline-'));
  expect(existsSync(local) ? named() : []).toEqual([]);
  hostile.onReply = honest;
  for (const [name, id] of tasks) {
    expect((await daemon.cli('wait', id)).code).toBe(0);
    const told = (await daemon.cli('logs', '--stdout', id)).stdout.split(' ')[0];
    expect([name, sha256(readFileSync(join(local, name)))]).toEqual([name, told]);
  }
  expect(readdirSync(local).toSorted()).toEqual(Object.keys(DAMAGE).toSorted());
});

it('row 20: an input altered on the way is not used', async () => {
  let altered = 0;
  hostile.onRequest = (packet, { type, path }) => {
    if (type !== SFTP.WRITE || !path.includes('/store/') || altered >= 2) return [packet];
    altered += 1;
    const copy = Buffer.from(packet);
    copy[copy.length - 1] = ~(copy[copy.length - 1] ?? 0);
    return [copy];
  };
  const bytes = randomBytes(1000);
  const file = join(daemon.dir, 'altered');
  writeFileSync(file, bytes);
  const ran = await daemon.cli(
    'run',
    '--input',
    `${file}:x`,
    MINI,
    '--',
    'sha256sum',
    '/mnt/task/inputs/x',
  );
  expect([ran.code, ran.stdout.split(' ')[0]]).toEqual([0, sha256(bytes)]);
  expect(altered).toBe(2);
});

/** A listing in which the host adds this name to what is there. */
function listed(name: string | Buffer, mode: number): Tamper {
  const told = new Set<string>();
  return (packet, { type, path, id }) => {
    if (type !== SFTP.READDIR || basename(path) !== 'tree') return [packet];
    // a listing asks one answer ahead: the last one of an earlier task may come only now
    if (told.has(path)) return [status(id, 1)];
    told.add(path);
    return [names(id, [{ name, mode, size: 4 }])];
  };
}

it.each([
  ['../../escaped', 0o100644],
  ['/etc/escaped', 0o100644],
  ['new\nline', 0o100644],
  ['esc\u001b[2J', 0o100644],
  ['nul\0byte', 0o100644],
  ['c1\u009b2J', 0o100644],
])('row 31: the name %j in a listing is refused and nothing is written', async (name, mode) => {
  hostile.onReply = listed(name, mode);
  const local = join(daemon.dir, `names-${Buffer.from(name).toString('hex')}`);
  mkdirSync(local);
  const before = readdirSync(daemon.dir).toSorted();
  const command = [MINI, '--', 'sh', '-c', 'mkdir tree; echo abc >tree/file'];
  const id = await daemon.submit('--output', `tree:${local}/tree`, ...command);
  await daemon.cli('wait', id);
  const { state, failure } = await daemon.show(id);
  expect([state, failure?.code]).toEqual(['error', 'OUTPUT_UNSAFE']);
  expect(failure?.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(readdirSync(daemon.dir).toSorted()).toEqual(before);
  expect(readdirSync(local, { recursive: true }).filter((entry) => entry !== 'tree')).toEqual([]);
});

it('row 31: names that only look dangerous arrive, without setuid bits, and links do not', async () => {
  const local = join(daemon.dir, 'odd');
  const long = 'n'.repeat(255);
  const command = `mkdir tree && cd tree && echo abc >-rf && echo abc >${long} && chmod 6755 ./-rf &&
    ln -s .. up && ln -s loop loop && ln -s /etc/passwd passwd && mkfifo pipe`;
  const id = await daemon.submit('--output', `tree:${local}`, MINI, '--', 'sh', '-c', command);
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect(readdirSync(local).toSorted()).toEqual(['-rf', long]);
  expect(statSync(join(local, '-rf')).mode & 0o7777).toBe(0o755);
});
