/**
 * What a version leaves on a host, for ever in test/fixtures/remote/v<format>: attempts in every state, a
 * root, an image and a pull that failed, file by file, told as if on a host that never was. Record those of
 * a new format, once, with: node test/support/record-remote.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { pullText } from '../../src/script/pull.ts';
import { REMOTE_FORMAT } from '../../src/script/records.ts';
import { type Attempt, type Bench, openBench } from './script-bench.ts';
import { until } from './until.ts';

/** Files of a directory on a host by path below it; a directory ends in a slash. */
export type Recorded = Record<string, string>;

export const ROOT = '/home/alice/.towline';
export const PLACE = { boot: 'recorded-boot', machine: 'recorded-machine', host: 'recorded-host' };
export const NONCE = 'n1';

/** A SIF of 4096 bytes. */
const MAKE_SIF = `{ head -c 32 /dev/zero; printf 'SIF_MAGIC\\0'; head -c 70 /dev/zero; printf '\\200\\0\\0\\0\\0\\0\\0\\0\\200\\017\\0\\0\\0\\0\\0\\0'; head -c 3968 /dev/zero; } >"$file"`;
const PULL = `file=\${@:(-2):1}; case $* in *mini*) ${MAKE_SIF} ;; *) until [ -e hb ]; do sleep 0.02; done; echo no such image; exit 1 ;; esac`;

/** The directory of a format's fixtures. */
export function fixturesOf(format: number): string {
  return join(import.meta.dirname, `../fixtures/remote/v${format}`);
}

/** Makes one attempt in each state, and a root; by name. */
export async function recordAll(): Promise<Record<string, Recorded>> {
  await using bench = await openBench();
  await using begun = new AsyncDisposableStack();
  const begin = async (line: string, changes?: Parameters<Bench['attempt']>[1]) => {
    const attempt = bench.attempt(line, changes);
    begun.defer(() => end(bench, attempt));
    await attempt.launch(NONCE);
    return attempt;
  };
  const out = 'echo words; echo more >&2; echo result >work/result';
  const running = await begin(`${out}; echo $$ >work/pid; sleep 1000`, {
    plan: { tmpDir: bench.dir },
  });
  const killed = await begin(`${out}; sleep 1000`);
  const exited = await begin(`${out}; exit 3`);
  const measured = await begin(`until [ -e work/go ]; do sleep 0.02; done; exit 5`);
  const broken = await begin('true', { image: 'broken' });
  const limited = await begin('sleep 1000', { launch: { timeLimitMs: 200 } });
  const salvaged = await begin(`${out}; until [ -e work/go ]; do sleep 0.02; done; exit 4`);
  const unseen = bench.attempt('true');
  await unseen.cancel(0);
  const notStarted = await published(bench);
  const cancelled = await published(bench);
  await cancelled.cancel(0);
  await until(async () => (await running.names()).includes('leader'));
  await until(async () => (await readdir(join(running.dir, 'work'))).includes('pid'));
  await until(async () => (await readdir(join(killed.dir, 'work'))).includes('result'));
  await killed.cancel(0);
  await writeFile(join(measured.dir, 'work/go'), '');
  await killSupervisor(salvaged);
  await writeFile(join(salvaged.dir, 'work/go'), '');
  for (const attempt of [killed, exited, measured, broken, limited]) await attempt.ended();
  await until(async () => (await killed.names()).some((name) => name.startsWith('killed.')));
  for (const attempt of [exited, measured, broken, limited, salvaged])
    await until(async () => (await bench.living(attempt.token)).crew.length === 0);
  const attempts = { running, killed, exited, measured, broken, limited, salvaged };
  const all = { ...attempts, unseen, 'not-started': notStarted, cancelled };
  const found: Record<string, Recorded> = { root: await recordRoot(bench) };
  for (const [name, attempt] of Object.entries(all))
    found[name] = await recorded(attempt.dir, { bench, token: attempt.token, as: `${name}.1` });
  return found;
}

/** Nothing of it may outlive the recording, whatever went wrong. */
async function end(bench: Bench, attempt: Attempt): Promise<void> {
  await attempt.cancel(0);
  await until(async () => {
    const { payload, crew } = await bench.living(attempt.token);
    return payload.length + crew.length === 0;
  });
}

/** Its directory is there, ticket and all, and no supervisor was started. */
async function published(bench: Bench): Promise<Attempt> {
  const shim = join(bench.dir, 'bin/setsid');
  await writeFile(shim, '#!/bin/sh\n', { mode: 0o755 });
  const attempt = bench.attempt('true');
  await attempt.launch(NONCE);
  await rm(shim);
  return attempt;
}

async function killSupervisor(attempt: Attempt): Promise<void> {
  await until(async () => (await attempt.names()).includes('leader'));
  const { pid } = JSON.parse(await attempt.read(`sup.${NONCE}.json`)) as { pid: number };
  process.kill(pid, 'SIGKILL');
}

async function recordRoot(bench: Bench): Promise<Recorded> {
  await writeFile(join(bench.dir, 'bin/pull'), PULL);
  for (const name of ['mini', 'bad']) {
    const place = { directory: `${bench.root}/images`, root: bench.root, key: `${name}-01` };
    const how = { runtime: join(bench.dir, 'bin/apptainer'), insecure: false, timeoutMs: 60_000 };
    const reference = `docker://${name}:1`;
    await bench.run(pullText({ ...place, ...how, reference, nonce: NONCE }));
  }
  const images = async () => readdir(join(bench.root, 'images'), { recursive: true });
  await until(async () => {
    const names = await images();
    const done = names.every((name) => !/^\.(pull|old)-mini/.test(name));
    return done && names.includes('mini-01.sif') && names.includes('.pull-bad-01/result');
  });
  const { tasks: _, ...rest } = await recorded(bench.root, { bench, token: '', as: '' });
  return rest;
}

interface Names {
  bench: Bench;
  token: string;
  as: string;
}

/** Words of this machine are replaced; what no later version reads (sup.sh) is told by its first lines. */
async function recorded(dir: string, names: Names): Promise<Recorded> {
  const files: Recorded = {};
  for (const name of (await readdir(dir, { recursive: true })).sort()) {
    const path = join(dir, name);
    if (name.startsWith('tasks') || name.endsWith('.sif')) continue;
    const stat = await lstat(path);
    if (stat.isDirectory()) files[`${name}/`] = '';
    else files[plain(name, names)] = plain(await readFile(path, 'utf8'), names);
  }
  for (const [name, text] of Object.entries(files))
    if (/(sup|job)\.sh$/.test(name)) files[name] = `${text.split('\n', 3).join('\n')}\n`;
  return files;
}

const BOOT = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\/)/g;

function plain(text: string, { bench, token, as }: Names): string {
  const { machineId } = bench.facts;
  let said = text.replaceAll(bench.root, ROOT).replaceAll(bench.dir, '/home/alice');
  if (token !== '')
    said = said.replaceAll(token, as).replaceAll(token.slice(0, -2), as.slice(0, -2));
  if (machineId !== '') said = said.replaceAll(machineId, PLACE.machine);
  said = said.replaceAll(/(killed|cancelled)\.n[0-9a-f]{12}/g, '$1.n2');
  said = said.replaceAll(BOOT, PLACE.boot).replaceAll(hostname(), PLACE.host);
  return said.replaceAll(/ {100,}/g, (room) => `<${room.length} spaces>`);
}

/** Makes what was recorded; in its texts `change` puts the words of this host. */
export async function unpack(
  files: Recorded,
  dir: string,
  change: (text: string) => string = (text) => text,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const full = text.replaceAll(/<(\d+) spaces>/g, (_, count) => ' '.repeat(Number(count)));
    if (name.endsWith('/')) await mkdir(join(dir, name), { recursive: true });
    else await mkdir(dirname(join(dir, name)), { recursive: true });
    if (!name.endsWith('/')) await writeFile(join(dir, name), change(full));
  }
}

if (import.meta.main) {
  const directory = fixturesOf(REMOTE_FORMAT);
  mkdirSync(directory, { recursive: true });
  for (const [name, files] of Object.entries(await recordAll()))
    writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(files, null, 2)}\n`);
}
