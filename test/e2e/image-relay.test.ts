/**
 * Goal: a host that cannot reach the registry has its image from another one: once, whole or not at all.
 * Method: a spare host whose packet filter refuses the registry, behind a slow link that can be cut; vm2
 * pulls. The registry's log, what came over the link and the files on both hosts are the oracles.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type SlowLink, startSlowLink } from '../support/faults/slow-link.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { type FreshImage, fetchesByBlob, freshImage, moveTag } from '../support/registry.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const MB = 1 << 20;
const LARGE_MB = 24;

let spare: SpareHost;
let proxy: TcpProxy;
let slow: SlowLink;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost();
  await spare.sh('iptables -I OUTPUT -p tcp --dport 5000 -j REJECT');
  proxy = await startTcpProxy(spare.port);
  slow = await startSlowLink(proxy.port, { bytesPerSecond: 12 * MB });
  const asks = { pull_ask_every: '0s' };
  const far = {
    ...asks,
    ...spare.keys,
    port: String(slow.port),
    image_cache_dir: '',
    image_source: 'auto',
  };
  daemon = makeDaemon({
    hosts: {
      far: { on: spare.name, keys: { ...far, known_hosts: pins() } },
      near: { on: 'vm2', keys: { ...asks, image_cache_dir: '' } },
    },
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await slow[Symbol.asyncDispose]();
  await proxy.stop();
  await spare[Symbol.asyncDispose]();
});

/** The key of the spare host, at the port of the link in front of it. */
function pins(): string {
  const file = `${spare.knownHosts}.slow`;
  const line = readFileSync(spare.knownHosts, 'utf8').replace(`:${spare.port} `, `:${slow.port} `);
  writeFileSync(file, line);
  return file;
}

/** Names below the image directory of far, with their sizes. */
async function onFar(): Promise<{ name: string; bytes: number }[]> {
  const find = `cd "$1/images" && find . -mindepth 1 -printf '%P %s\\n'`;
  const text = await spare.sh(find, daemon.rootOn('far'));
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ name: line.split(' ')[0] ?? '', bytes: Number(line.split(' ')[1]) }));
}

async function partOf({ name }: FreshImage): Promise<number | undefined> {
  const part = (await onFar()).find(
    (file) => file.name.includes(name) && /part-.*\/image.sif$/.test(file.name),
  );
  return part?.bytes;
}

async function sumOf(hash: (command: string) => Promise<string>, root: string): Promise<string> {
  return (await hash(`cat ${root}/images/*-*.json`)).replaceAll(/.*"sha256":"(\w+)".*/g, '$1');
}

test('a host whose way to the registry is cut runs an image through image_source = auto', async () => {
  const image = await freshImage();
  const run = () => daemon.cli('run', '--host', 'far', image.reference, '--', 'echo', 'here');
  for (const ran of await Promise.all([run(), run(), run()])) {
    expect(ran.stdout, ran.stderr + daemon.log()).toBe('here\n');
  }
  const fetches = [...fetchesByBlob(image.name).values()];
  expect(fetches.length).toBeGreaterThanOrEqual(3);
  expect(new Set(fetches)).toEqual(new Set([1]));
  const far = await sumOf((text) => spare.sh(text), daemon.rootOn('far'));
  const near = await sumOf((text) => onHost('vm2', 'sh', '-c', text), daemon.rootOn('near'));
  expect(far).toBe(near);
  expect(await spare.sh(`cd ${daemon.rootOn('far')}/images && sha256sum *.sif`)).toContain(
    far.trim(),
  );
  expect((await onFar()).filter(({ name }) => name.startsWith('.part'))).toEqual([]);
});

test('a tag that moved is noticed by the host that can ask, and the newer image is sent', async () => {
  const image = await freshImage();
  const newer = ['--host', 'far', '--pull', 'newer', image.reference];
  const run = async (...options: string[]): Promise<string> => {
    const ran = await daemon.cli('run', ...options, '--', 'md5sum', '/usr/share/fresh');
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout;
  };
  const old = await run(...newer);
  await moveTag(image);
  expect(await run('--host', 'far', image.reference)).toBe(old);
  expect(await run(...newer)).not.toBe(old);
});

test('an image whose transfer is cut midway goes on where it was', async () => {
  const image = await freshImage(LARGE_MB);
  const before = slow.bytes().requests;
  proxy.resetAfter(10 * MB, 'requests');
  const ran = await daemon.cli('run', '--host', 'far', image.reference, '--', 'echo', 'whole');
  expect(ran.stdout, ran.stderr).toBe('whole\n');
  expect(proxy.resets()).toBe(1);
  // the whole image once, what was under way at the cut twice, and not the ten megabytes before it
  const sent = slow.bytes().requests - before;
  expect(sent).toBeGreaterThan(LARGE_MB * MB);
  expect(sent).toBeLessThan((LARGE_MB + 7) * MB);
});

test('a cancelled task leaves nothing of the image it waited for; the next one has it', async () => {
  const image = await freshImage(LARGE_MB);
  const id = await daemon.submit('--host', 'far', image.reference, '--', 'true');
  await until(async () => ((await partOf(image)) ?? 0) > MB);
  expect((await daemon.cli('cancel', id)).code).toBe(0);
  await until(async () => (await partOf(image)) === undefined);
  // what the pull has left is for gc, as everywhere
  const left = (await onFar()).filter(({ name }) => name.includes(image.name));
  expect(left.filter(({ name }) => !name.startsWith('.pull-'))).toEqual([]);
  const ran = await daemon.cli('run', '--host', 'far', image.reference, '--', 'echo', 'again');
  expect(ran.stdout, ran.stderr).toBe('again\n');
});

test('what no host can have is told with the words of the one that was asked', async () => {
  const nowhere = 'docker://registry:5000/nowhere:1';
  const ran = await daemon.cli('run', '--host', 'far', nowhere, '--', 'true');
  expect(ran.stderr).toContain('IMAGE_MANIFEST_UNKNOWN');
  expect(ran.stderr).toMatch(/on far: .*refused.* from near: .*unknown/s);
});
