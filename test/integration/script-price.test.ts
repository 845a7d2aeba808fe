/**
 * Goal: what an attempt costs its host is known and does not grow unnoticed. Method: every tool on the
 * PATH is a shim that notes its name and becomes the tool.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseStatus, statusText } from '../../src/script/status.ts';
import { openBench } from '../support/script-bench.ts';
import { runText } from '../support/shells.ts';
import { until } from '../support/until.ts';

const TOOLS =
  'mkdir chmod mv ln cp rm cat date sync stat grep env setsid sleep head tail od wc find sed tr id'.split(
    ' ',
  );

async function counted() {
  const on = await openBench();
  onTestFinished(() => on[Symbol.asyncDispose]());
  const ledger = join(on.dir, 'tools');
  for (const tool of TOOLS) {
    const { stdout: real } = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' });
    const shim = `#!/bin/sh\necho ${tool} >>'${ledger}'\nexec ${real.trim()} "$@"\n`;
    await writeFile(join(on.dir, 'bin', tool), shim, { mode: 0o755 });
  }
  await writeFile(ledger, '');
  const used = async () => (await readFile(ledger, 'utf8')).trim().split('\n').filter(Boolean);
  return { on, used, forget: () => writeFile(ledger, '') };
}

test('an attempt from its launch to its exit record runs 17 tools and one container', async () => {
  const { on, used, forget } = await counted();
  // the very first launch of a daemon makes its directory
  const first = on.attempt('true');
  await first.launch();
  await until(async () => (await on.living(first.token)).crew.length === 0);
  await forget();
  const attempt = on.attempt('true');
  await attempt.launch();
  // judged by looking, not by asking: a status would be counted, too
  await until(async () => (await attempt.names()).includes('exit.json'));
  const publish = ['mkdir', 'chmod', 'sync', 'mv'];
  const claim = ['setsid', 'date', 'sync', 'mv', 'sync', 'cat', 'cat', 'setsid', 'env'];
  const end = ['grep', 'stat', 'sync', 'ln'];
  // on a busy machine it naps until a copier has had its turn
  const tools = (await used()).filter((tool) => tool !== 'sleep');
  expect(tools.sort()).toEqual([...publish, ...claim, ...end].sort());
});

test('looking at forty attempts costs one tool, and so does a glance at them', async () => {
  const { on, used, forget } = await counted();
  const attempts = Array.from({ length: 5 }, () => on.attempt(': >work/on; exec /bin/sleep 300'));
  const queries = await Promise.all(
    attempts.map(async (attempt) => {
      const reply = await attempt.launch();
      if (reply.kind !== 'launched') throw new Error(reply.kind);
      return { dir: attempt.dir, nonce: reply.launch.nonce, pid: reply.launch.pid };
    }),
  );
  for (const { dir } of attempts) await until(() => existsSync(join(dir, 'work/on')));
  await forget();
  const text = statusText(Array.from({ length: 8 }, () => queries).flat());
  const env = { ...process.env, PATH: `${on.dir}/bin:${process.env['PATH']}` };
  const { output } = await runText(text, ['sh'], env);
  expect(output.match(/^@ alive/gm)).toHaveLength(40);
  expect(await used()).toEqual(['stat']);
  await forget();
  const { attempts: seen } = parseStatus(
    queries,
    (await runText(statusText(queries), ['sh'], env)).output,
  );
  await forget();
  const glances = queries.map((query, index) => ({ ...query, before: seen[index] }));
  const glanced = await runText(statusText(glances), ['sh'], env);
  expect(glanced.output).toMatch(/^@ same 0 1 2 3 4$/m);
  expect(parseStatus(glances, glanced.output).attempts).toEqual(seen);
  expect(await used()).toEqual(['stat']);
  await Promise.all(attempts.map((attempt) => attempt.cancel(0)));
  for (const attempt of attempts) await attempt.ended();
});
