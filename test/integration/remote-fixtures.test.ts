/**
 * Goal: what an older version left on a host is understood for ever: where it stands, what its supervisor
 * left, how it is cancelled, launched again and cleaned. Method: the recorded ones of test/fixtures/remote
 * (see test/support/record-remote.ts), unpacked into a root here, and today's texts.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type AttemptToken } from '../../src/domain/task.ts';
import { cancelText, parseCancel } from '../../src/script/cancel.ts';
import { cleanText, parseClean } from '../../src/script/clean.ts';
import { imageListText, parseImageList } from '../../src/script/image-cache.ts';
import { launchText } from '../../src/script/launch.ts';
import { parseLaunch } from '../../src/script/launch-reply.ts';
import { parseProbe, probeText } from '../../src/script/probe.ts';
import { parseLaunchRecord, REMOTE_FORMAT } from '../../src/script/records.ts';
import { parseStatus, statusText } from '../../src/script/status.ts';
import { parseSalvage, salvageText } from '../../src/script/sweep.ts';
import { judge } from '../../src/script/verdict.ts';
import {
  fixturesOf,
  NONCE,
  PLACE,
  type Recorded,
  ROOT,
  recordAll,
  unpack,
} from '../support/record-remote.ts';
import { type Bench, DAEMON, openBench } from '../support/script-bench.ts';
import { aLaunch } from '../unit/script/samples.ts';

const FORMATS = Array.from({ length: REMOTE_FORMAT }, (_, index) => index + 1);

function readFixture(format: number, name: string): Recorded {
  return JSON.parse(readFileSync(join(fixturesOf(format), `${name}.json`), 'utf8')) as Recorded;
}

/** Where the attempts are said to have been: elsewhere, or here, in this boot or an earlier one. */
type Where = 'elsewhere' | 'here' | 'rebooted';

async function stand(format: number, name: string, where: Where = 'elsewhere', pid = '') {
  const bench = await openBench();
  onTestFinished(() => bench[Symbol.asyncDispose]());
  const token = `${name}.1` as AttemptToken;
  const place = { root: bench.root, daemonId: DAEMON, token };
  const dir = join(bench.root, 'tasks', DAEMON, token);
  const files = readFixture(format, name);
  const record = parseRecord(files);
  const { machineId, hostname, bootId } = bench.facts;
  await unpack(files, dir, (text) => {
    let here = text.replaceAll(ROOT, bench.root);
    if (where !== 'elsewhere')
      here = here.replaceAll(PLACE.machine, machineId).replaceAll(PLACE.host, hostname);
    if (where === 'here') here = here.replaceAll(PLACE.boot, bootId);
    if (pid !== '' && record !== undefined)
      here = here.replace(`"pid":${record.pid},"start":"${record.startTicks}"`, pid);
    return here;
  });
  const sup = join(dir, `sup.${NONCE}.json`);
  const launch = existsSync(sup) ? parseLaunchRecord(readFileSync(sup, 'utf8')) : undefined;
  const query = [{ dir, nonce: NONCE, pid: launch?.pid ?? 0 }];
  return {
    ...{ bench, dir, place, token },
    async status() {
      const { host, attempts } = parseStatus(query, await bench.run(statusText(query)));
      const [facts] = attempts;
      if (facts === undefined) throw new Error('no answer');
      return { facts, verdict: judge({ host, facts, launch }) };
    },
    cancel: async () => {
      const plan = { ...place, nonce: 'n7', graceMs: 0, mvNoTarget: true };
      return parseCancel(await bench.run(cancelText(plan)));
    },
    launch: async (digest: string) => {
      const image = { path: join(bench.root, 'images/mini.sif') };
      const plan = { ...aLaunch(), ...place, nonce: 'n8', digest, image };
      return parseLaunch(await bench.run(launchText(plan)));
    },
    salvage: async () => parseSalvage(await bench.run(salvageText({ dir, nonce: NONCE }))),
    clean: async () => {
      const plan = { ...place, tokens: [token] };
      return parseClean(plan, await bench.run(cleanText(plan))).get(token);
    },
  };
}

function parseRecord(files: Recorded) {
  const text = files[`sup.${NONCE}.json`];
  return text === undefined ? undefined : parseLaunchRecord(text);
}

describe.each(FORMATS)('of format %i', (format) => {
  test.each([
    ['exited', { kind: 'exited', exit: { code: 3, stdoutBytes: 6, stderrBytes: 5 } }],
    ['measured', { kind: 'exited', exit: { code: 5, usage: { wallMs: expect.any(Number) } } }],
    ['killed', { kind: 'exited', exit: { code: expect.any(Number) } }],
    ['limited', { kind: 'exited', exit: { limit: 'time' } }],
    ['broken', { kind: 'exited', exit: { runtimeLogTail: expect.stringContaining('FATAL') } }],
    ['running', { kind: 'unknown', why: expect.stringContaining(PLACE.host) }],
    ['not-started', { kind: 'not-started' }],
    ['cancelled', { kind: 'cancelled' }],
    ['unseen', { kind: 'cancelled' }],
  ])('%s stands where it stood', async (name, verdict) => {
    const { status } = await stand(format, name);
    const seen = await status();
    expect(seen.verdict).toMatchObject(verdict);
    expect(seen.facts.killed).toBe(name === 'killed');
  });

  test('running is told by pid and start, by boot, and by its absence', async () => {
    const child = spawn('sleep', ['1000']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const text = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const start = text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
    const lives = await stand(format, 'running', 'here', `"pid":${child.pid},"start":"${start}"`);
    expect((await lives.status()).verdict).toMatchObject({ kind: 'running', stdoutBytes: 6 });
    const gone = await stand(format, 'running', 'here');
    expect((await gone.status()).verdict).toMatchObject({ kind: 'dead-suspect' });
    const before = await stand(format, 'running', 'rebooted');
    expect((await before.status()).verdict).toMatchObject({ kind: 'rebooted' });
    expect(await before.cancel()).toEqual({ kind: 'rebooted' });
  });

  test('what a dead supervisor left is salvaged', async () => {
    const left = await stand(format, 'salvaged', 'here');
    expect((await left.status()).verdict).toMatchObject({ kind: 'dead-suspect' });
    expect(await left.salvage()).toMatchObject({ code: 4, salvaged: true, stdoutBytes: 6 });
    expect(await (await stand(format, 'running', 'here')).salvage()).toBeUndefined();
  });

  test.each([
    ['exited', { kind: 'ended' }],
    ['killed', { kind: 'ended' }],
    ['running', { kind: 'elsewhere', hostname: PLACE.host }],
    ['not-started', { kind: 'cancelled-before-start' }],
    ['cancelled', { kind: 'cancelled-before-start' }],
    ['unseen', { kind: 'cancelled-before-start' }],
  ])('a cancel of %s says so', async (name, reply) => {
    expect(await (await stand(format, name)).cancel()).toEqual(reply);
  });

  test('a launch that is repeated finds its own, and no other', async () => {
    const { digest } = JSON.parse(readFixture(format, 'running')['spec.json'] ?? '') as Record<
      'digest',
      string
    >;
    const on = await stand(format, 'running');
    expect(await on.launch(digest)).toMatchObject({
      kind: 'launched',
      mine: false,
      launch: { nonce: NONCE, hostname: PLACE.host },
    });
    expect(await on.launch('0'.repeat(64))).toEqual({ kind: 'conflict' });
    expect(await (await stand(format, 'unseen')).launch(digest)).toEqual({ kind: 'cancelled' });
  });

  test.each(['exited', 'killed', 'salvaged', 'cancelled', 'unseen'])(
    '%s is cleaned',
    async (name) => {
      const { clean, dir } = await stand(format, name);
      expect(await clean()).toMatchObject({ kind: 'cleaned' });
      expect(existsSync(dir)).toBe(false);
    },
  );

  test('the root and its images are known', async () => {
    const bench = await openBench();
    onTestFinished(() => bench[Symbol.asyncDispose]());
    const root = join(bench.dir, 'older');
    await unpack(readFixture(format, 'root'), root);
    await writeFile(join(root, 'images/mini-01.sif'), '');
    const listed = await bench.run(imageListText({ directory: `${root}/images` }));
    expect(parseImageList(listed, { host: 'h' })).toMatchObject([
      { reference: 'docker://mini:1', bytes: 4096 },
    ]);
    expect(await probed(bench, root)).toBe(root);
  });
});

async function probed(bench: Bench, root: string): Promise<string> {
  const said = await bench.run(probeText({ rootTemplate: root, runtime: 'apptainer' }));
  return parseProbe(said, { host: 'bench' }).root;
}

describe('what this version writes', () => {
  let now: Record<string, Recorded>;
  beforeAll(async () => {
    now = await recordAll();
  });

  // A red test here: give the new text a new format, record it with node test/support/record-remote.ts, and
  // keep the older fixtures for ever.
  test('has the format that says so, and its fixtures', () => {
    const formats = Object.values(now).flatMap((files) =>
      Object.values(files).flatMap((text) => [...text.matchAll(/(?:"format":|format )(\d+)/g)]),
    );
    expect(new Set(formats.map(([, number]) => Number(number)))).toEqual(new Set([REMOTE_FORMAT]));
    expect(statSync(fixturesOf(REMOTE_FORMAT)).isDirectory()).toBe(true);
    expect(readdirSync(fixturesOf(REMOTE_FORMAT)).sort()).toEqual(
      Object.keys(now)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  test('has the shape that was recorded under this format', () => {
    for (const [name, files] of Object.entries(now)) {
      const older = readFixture(REMOTE_FORMAT, name);
      expect({ name, shape: shapeOf(withoutAdded(files, older)) }).toEqual({
        name,
        shape: shapeOf(older),
      });
    }
  });
});

/**
 * What was added to the format later, and who reads older ones does without; "measured" has it recorded. A record
 * without it is what it was.
 */
function withoutAdded(files: Recorded, older: Recorded): Recorded {
  const kept = Object.entries(files).filter(
    ([name]) => name in older || !name.startsWith('.usage.'),
  );
  return Object.fromEntries(
    kept.map(([name, text]) => {
      const added = [/,"usage":\{[^}]*\}/, /,"id":"[^"]*"/];
      const later = added.filter((part) => !part.test(older[name] ?? ''));
      return [name, later.reduce((rest, part) => rest.replace(part, ''), text)];
    }),
  );
}

/** Names of files, and what later versions read of them: the keys of JSON, else how many words stand on a line. */
function shapeOf(files: Recorded): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => {
      const [line = ''] = text.split('\n');
      if (line.startsWith('{')) return [name, Object.keys(JSON.parse(line) as object)];
      return [
        name,
        /^(leader|killer|rc|owner|\.sup|\.copied)/.test(name) ? line.trim().split(' ').length : '',
      ];
    }),
  );
}
