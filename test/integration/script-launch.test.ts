/**
 * Goal: however often and on however many shells a launch runs, the attempt starts at most once, and
 * never after a cancel or a cleaning. Method: many launchers at once; each start leaves a line in a
 * ledger outside the attempt.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CleanPlan, cleanText, parseClean } from '../../src/script/clean.ts';
import { partPath, publishObjectText } from '../../src/script/objects.ts';
import { judge } from '../../src/script/verdict.ts';
import { type Attempt, type Bench, DAEMON, fresh, openBench } from '../support/script-bench.ts';
import { until } from '../support/until.ts';

async function bench(): Promise<Bench> {
  const made = await openBench();
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

async function publish(on: Bench, content: string, mode = 0o644): Promise<string> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const place = { root: on.root, daemonId: DAEMON, sha256, mode };
  await writeFile(partPath(place), content);
  expect(await on.run(publishObjectText(place))).toBe('@ published\n');
  return sha256;
}

async function clean(on: Bench, attempt: Attempt): Promise<string> {
  const plan: CleanPlan = { root: on.root, daemonId: DAEMON, tokens: [attempt.token] };
  const result = parseClean(plan, await on.run(cleanText(plan))).get(attempt.token);
  return result?.kind === 'failed' ? `failed ${result.reason}` : (result?.kind ?? 'none');
}

const lines = async (path: string) =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n').length - 1;

describe.each([true, false])('with mv -T: %s', (mvNoTarget) => {
  test('of 12 launchers at once one starts it, all learn of the same supervisor, nothing is left over', async () => {
    const on = await bench();
    for (let round = 0; round < 5; round += 1) {
      const ledger = join(on.dir, `ledger ${round}`);
      const attempt = on.attempt(`echo $$ >>"${ledger}"; echo x`, { launch: { mvNoTarget } });
      const replies = await Promise.all(
        Array.from({ length: 12 }, async () => {
          let reply = await attempt.launch(fresh());
          while (reply.kind === 'again') reply = await attempt.launch(fresh());
          return reply;
        }),
      );
      const mine = replies.filter((reply) => reply.kind === 'launched' && reply.mine);
      expect(mine.length).toBe(1);
      const pids = replies.map((reply) =>
        reply.kind === 'launched' ? reply.launch.pid : reply.kind,
      );
      expect(new Set(pids).size).toBe(1);
      expect((await attempt.ended()).exit).toMatchObject({ code: 0, stdoutBytes: 2 });
      expect(await lines(ledger)).toBe(1);
      const names = await attempt.names();
      expect(names.filter((name) => /^(go|sup)\./.test(name)).length).toBe(3);
      expect(names.filter((name) => name.startsWith(`.${attempt.token}`))).toEqual([]);
      expect(await on.run(`ls -A "${attempt.dir}/.."`)).not.toContain(`.${attempt.token}.`);
    }
  });
});

test('a cancel that races the launch leaves either no start at all, or one that is ended', async () => {
  const on = await bench();
  const seen = new Set<string>();
  for (let round = 0; round < 25; round += 1) {
    const ledger = join(on.dir, `ledger ${round}`);
    const attempt = on.attempt(`echo $$ >>"${ledger}"; sleep 300`);
    const launches = [attempt.launch(), attempt.launch()];
    const [cancelled] = await Promise.all([attempt.cancel(), ...launches]);
    seen.add(cancelled.kind);
    const starts = await lines(ledger);
    expect(starts).toBeLessThanOrEqual(1);
    if (cancelled.kind === 'cancelled-before-start') {
      expect(starts).toBe(0);
      expect(await attempt.launch()).toEqual({ kind: 'cancelled' });
    } else {
      await until(async () => (await attempt.status()).facts.killed);
    }
    expect((await on.living(attempt.token)).payload).toEqual([]);
    // supervisors that lost need a moment to end
    await until(async () => (await on.living(attempt.token)).crew.length === 0);
  }
  expect(seen).toContain('cancelled-before-start');
});

test('a launch that comes after the attempt was cleaned away starts nothing', async () => {
  const on = await bench();
  const ledger = join(on.dir, 'ledger');
  const attempt = on.attempt(
    `echo $$ >>"${ledger}"; mkdir work/d; touch work/d/f; chmod 500 work/d`,
  );
  await attempt.launch();
  await attempt.ended();
  await until(async () => (await clean(on, attempt)) === 'cleaned');
  expect((await attempt.status()).facts.directory).toBe('gone');
  expect(await attempt.launch()).toEqual({ kind: 'cancelled' });
  // one that had looked before the cleaning and publishes only now
  const late = attempt.text().replace(/^\[ ! -e "\.ended.*$/m, ':');
  expect(await on.run(late)).toBe('@ cancelled\n');
  expect(await lines(ledger)).toBe(1);
});

test.each([['dash'], ['bash'], ['busybox', 'sh']])(
  'a launch whose connection is gone when it has taken the ticket runs to its end: %s',
  async (...shell) => {
    const on = await openBench(shell);
    onTestFinished(() => on[Symbol.asyncDispose]());
    const attempt = on.attempt('echo here');
    // its first words go to nobody
    const text = attempt.text().replace(/line=\$\((.+) &\)$/m, '$1 | true');
    expect(text).not.toBe(attempt.text());
    await on.run(text);
    expect((await attempt.ended()).exit).toMatchObject({ code: 0, stdoutBytes: 5 });
    expect(await attempt.read('runtime.log')).toBe('');
  },
);

test('a running attempt, a foreign directory and a link are not cleaned', async () => {
  const on = await bench();
  const running = on.attempt('sleep 300');
  await running.launch();
  expect(await clean(on, running)).toBe('busy');
  await running.cancel();
  await until(async () => (await running.status()).facts.killed);
  expect(await clean(on, running)).toBe('cleaned');
  const foreign = on.attempt('true');
  await mkdir(foreign.dir);
  await writeFile(join(foreign.dir, 'precious'), 'x');
  expect(await clean(on, foreign)).toMatch(/^failed not-ours/);
  const linked = on.attempt('true');
  await symlink(foreign.dir, linked.dir);
  expect(await clean(on, linked)).toMatch(/^failed not-ours/);
  expect(await readFile(join(foreign.dir, 'precious'), 'utf8')).toBe('x');
});

test('a ticket that a loss of power brought back is taken by the cleaning', async () => {
  const on = await bench();
  const ledger = join(on.dir, 'ledger');
  const attempt = on.attempt(`echo $$ >>"${ledger}"`);
  await attempt.launch();
  await attempt.ended();
  await on.run(`cd "${attempt.dir}" && mv go.* ticket && rm exit.json sup.*`);
  await until(async () => (await clean(on, attempt)) === 'cleaned');
  expect(await attempt.launch()).toEqual({ kind: 'cancelled' });
  expect(await lines(ledger)).toBe(1);
});

test('the same token with another content is a conflict, with the same content it is adopted', async () => {
  const on = await bench();
  const attempt = on.attempt('true');
  expect(await attempt.launch()).toMatchObject({ kind: 'launched', mine: true });
  expect(await attempt.launch()).toMatchObject({ kind: 'launched', mine: false });
  const other = attempt.text().replaceAll(/[0-9a-f]{64}/g, 'f'.repeat(64));
  expect(await on.run(other)).toBe('@ conflict\n');
});

test('inputs stand where they were asked for, with content and mode, and stdin is fed', async () => {
  const on = await bench();
  const sha256 = await publish(on, 'content\n');
  const script = await publish(on, '#!/bin/sh\necho ran\n', 0o755);
  const remote = join(on.dir, 'on host');
  await writeFile(remote, 'remote');
  const attempt = on.attempt(
    'cat; cat "inputs/a b/it\'s"; inputs/run; ls inputs/empty mounts/0; [ -e inputs/ref ]',
    {
      inputs: {
        files: [
          { kind: 'object', sha256, mode: 0o644, target: "a b/it's", bytes: 8 },
          { kind: 'object', sha256: script, mode: 0o755, target: 'run', bytes: 19 },
          { kind: 'directory', target: 'empty' },
          { kind: 'remote', path: remote, target: 'ref' },
          { kind: 'directory', target: '/opt/data' },
          { kind: 'object', sha256, mode: 0o644, target: '/opt/data/x', bytes: 8 },
        ],
        stdin: { sha256, mode: 0o644 },
      },
    },
  );
  expect(await attempt.launch()).toMatchObject({ kind: 'launched' });
  expect((await attempt.ended()).exit).toMatchObject({ code: 0 });
  expect(await attempt.read('stdout')).toBe(
    'content\ncontent\nran\ninputs/empty:\n\nmounts/0:\nx\n',
  );
});

test('what is missing is named, and nothing is published', async () => {
  const on = await bench();
  const sha256 = 'ab'.repeat(32);
  const inputs = {
    files: [{ kind: 'object' as const, sha256, mode: 0o644, target: 'a', bytes: 1 }],
  };
  const missing = on.attempt('true', { inputs });
  expect(await missing.launch()).toEqual({ kind: 'object-gone', name: `${sha256}-0644` });
  const remote = on.attempt('true', {
    inputs: { files: [{ kind: 'remote', path: '/no such/file', target: 'a' }] },
  });
  expect(await remote.launch()).toEqual({ kind: 'input-gone', path: '/no such/file' });
  const image = on.attempt('true', { image: 'absent' });
  expect(await image.launch()).toEqual({ kind: 'image-gone' });
  for (const attempt of [missing, remote, image]) {
    const status = await attempt.status();
    expect(judge({ ...status, launch: undefined })).toEqual({ kind: 'not-published' });
  }
  expect(await on.run(`ls -A "${on.root}/tasks/${DAEMON}"`)).toBe('');
});

test('a root that is away is unseen, not gone', async () => {
  const on = await bench();
  const attempt = on.attempt('true');
  const marker = join(on.root, 'towline-root.json');
  await chmod(marker, 0);
  await on.run(`mv "${marker}" "${marker}.away"`);
  const status = await attempt.status();
  expect(judge({ ...status })).toMatchObject({ kind: 'unknown' });
});
