/**
 * Goal: nobody else on either machine can read or change what Towline makes, however careless the umask.
 * Method: a daemon and shells on the host that begin with umask 0 or 077, a remote root that others could
 * read, a whole task with a pull, input and output; then every file and directory of both sides is looked at.
 */
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type HostileHost, startHostileHost } from '../support/faults/hostile-host.ts';
import { until } from '../support/until.ts';

const PINS = join(tmpdir(), `towline-modes-${process.pid}`);
/** What the payload finds and makes is under the mask that the account is used to; inputs have the modes of their names. */
const PAYLOADS = /^tasks\/[^/]+\/[^/]+\/(work|home|tmp|vartmp|inputs)(\/|$)/;
const OBJECT = /^store\/[0-9a-f]{64}-0?(\d{3})$/;

/** Paths below a directory, itself included, by what others may do with them. */
function open(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return ['.', ...names]
    .map((name) => ({ name, mode: lstatSync(join(directory, name)).mode }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ name, mode }) => `${(mode & 0o7777).toString(8)} ${name}`);
}

/** The same of a remote root, without what is the payload's and the images, which are read-only to all. */
async function openThere(root: string): Promise<string[]> {
  const listed = await onHost('vm', 'find', root, '!', '-type', 'l', '-printf', '%m %P\n');
  const lines = listed.trim().split('\n');
  expect(lines.length).toBeGreaterThan(20);
  return lines.filter((line) => {
    const [mode = '', name = ''] = line.split(/ (.*)/s);
    if (PAYLOADS.test(name) || mode === OBJECT.exec(name)?.[1]) return false;
    return !mode.endsWith('00') && !(mode === '444' && /^images\/[^/]+\.sif$/.test(name));
  });
}

describe.each(['000', '077'])('under umask %s', (mask) => {
  let careless: HostileHost;
  let daemon: TestDaemon;

  beforeAll(async () => {
    careless = await startHostileHost({ umask: mask });
    writeFileSync(PINS, careless.knownHosts);
    const keys = { port: String(careless.port), known_hosts: PINS };
    // one pull shows what is made by it
    const images = mask === '000' ? { image_cache_dir: '' } : {};
    daemon = makeDaemon({ vm: { ...keys, ...images } });
    const [above] = daemon.root.split(/\/[^/]*$/);
    await onHost(
      'vm',
      'sh',
      '-c',
      `mkdir -p '${above}'; mkdir -m 755 '${daemon.root}'; chown -R alice: '${above}'`,
    );
    const before = process.umask(Number.parseInt(mask, 8));
    await daemon.start();
    process.umask(before);
  });

  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await careless[Symbol.asyncDispose]();
    rmSync(PINS);
  });

  it('is closed on both sides while a whole task runs, in a root that was open; the payload has its own mask', async () => {
    const input = join(daemon.dir, 'input');
    writeFileSync(input, 'secret input');
    const output = join(daemon.dir, 'made/deep/out');
    const args = ['--input', `${input}:in`, '--output', `out:${output}`, '--cleanup', 'never'];
    const command = `cp /mnt/task/inputs/in out; umask >&2; sleep 1000`;
    const id = await daemon.submit(...args, MINI, '--', 'sh', '-c', command);
    await until(
      async () => (await daemon.show(id)).streams.stderr.bytes > 0,
      () => daemon.log(),
      // a pull on a busy machine
      120_000,
    );
    // While it runs: the database with its log, the spool, the socket; there, the attempt and its home.
    expect(open(daemon.stateDir)).toEqual([]);
    expect(open(join(daemon.dir, 'run'))).toEqual([]);
    expect(await openThere(daemon.root)).toEqual([]);
    expect((await daemon.cli('logs', '--stderr', id)).stdout).toBe(`0${mask}\n`);
    await daemon.cli('cancel', id);
    await daemon.cli('wait', id);
  });
});
