/**
 * Goal: an image goes only when nobody who shares the cache uses it, did so lately, or is about to. Method: the
 * real texts of launch, clean and prune in every sh there is; what other machines and accounts would write is
 * put there by the test.
 */
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cleanText } from '../../src/script/clean.ts';
import { type PrunePlan, parsePrune, pruneText } from '../../src/script/image-prune.ts';
import { fresh, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

const OTHER = 'd4a3c7f0-0000-4000-8000-00000000000b';
const DAY_S = 86_400;

async function house(shell: readonly string[]) {
  const on = await openBench(shell);
  onTestFinished(() => on[Symbol.asyncDispose]());
  const directory = `${on.dir}/cache`;
  await mkdir(directory, { recursive: true });
  const now = Math.floor(Date.now() / 1000);
  const put = async (base: string, days: number): Promise<void> => {
    await writeFile(`${directory}/${base}.sif`, base);
    const record = { format: 1, reference: `docker://${base}`, sha256: 'x', bytes: 5 };
    await writeFile(
      `${directory}/${base}.json`,
      `${JSON.stringify({ ...record, at: now - days * DAY_S })}\n`,
    );
  };
  const sign = async (name: string, text: string, days = 0): Promise<void> => {
    await writeFile(`${directory}/${name}`, `${text}\n`);
    await utimes(`${directory}/${name}`, now - days * DAY_S, now - days * DAY_S);
  };
  const prune = async (more: Partial<PrunePlan> = {}) => {
    const plan = { directory, root: on.root, nonce: fresh(), olderThanMs: 30 * DAY_S * 1000 };
    const text = pruneText({ ...plan, remove: true, used: [], wanted: [], ...more });
    const { pruned, kept } = parsePrune(await on.run(text), { host: 'bench' });
    return { pruned: pruned.map(({ reference }) => reference.slice(9)), kept };
  };
  const names = async () => (await readdir(directory)).toSorted();
  const machine = (await readFile('/etc/machine-id', 'utf8').catch(() => '-')).trim();
  return { on, directory, put, sign, prune, names, here: `${machine} ${hostname()}` };
}

describe.each(SHELLS)('%s', (...shell) => {
  test('what nobody used for so long goes, with all that was written about it; a file of the user next to it stays', async () => {
    const { put, sign, prune, names, directory } = await house(shell);
    await put('old-1', 40);
    await put('new-1', 2);
    await put('late-1', 40);
    await sign(`.used.late-1.${OTHER}`, '', 3);
    await sign(`.used.old-1.${OTHER}`, '', 31);
    await writeFile(`${directory}/mine.sif`, 'my own');
    await writeFile(`${directory}/mine.json`, '{"my":"own"}');
    const before = await names();
    expect(await prune({ remove: false })).toEqual({
      ...{ pruned: ['old-1'], kept: { inUse: 0, recent: 2 } },
    });
    expect(await names()).toEqual(before);
    expect((await prune()).pruned).toEqual(['old-1']);
    expect(await names()).toEqual(before.filter((name) => !name.includes('old-1')));
  });

  test('the image that a tag named before goes by itself; with the latest goes what points to it', async () => {
    const { put, sign, prune, names } = await house(shell);
    await put('tag-1', 40);
    await put('tag-1.g0123456789abcdef', 31);
    await sign('.now.tag-1', 'tag-1.g0123456789abcdef');
    await sign('.asked.tag-1', '5');
    expect((await prune({ wanted: ['tag-1'] })).pruned).toEqual(['tag-1']);
    expect((await prune({ used: ['tag-1.g0123456789abcdef'] })).pruned).toEqual([]);
    expect((await prune()).pruned).toEqual(['tag-1.g0123456789abcdef']);
    expect(await names()).toEqual([]);
  });

  test('signs of others count as long as their attempts may run', async () => {
    const { put, sign, prune, here, on } = await house(shell);
    const attempts = `${on.root}/tasks/${OTHER}`;
    await mkdir(`${attempts}/ended.1`, { recursive: true });
    await writeFile(`${attempts}/ended.1/exit.json`, '{}');
    await mkdir(`${attempts}/runs.1`);
    const cases: [string, string, number][] = [
      ['ended.1', `${here} ${attempts}/ended.1`, 40],
      ['gone.1', `${here} ${attempts}/gone.1`, 40],
      ['runs.1', `${here} ${attempts}/runs.1`, 40],
      ['elsewhere.1', `m0 node7 ${attempts}/gone.1`, 40],
      ['forgotten.1', `m0 node7 ${attempts}/gone.1`, 401],
      ['unseen.1', `${here} /nowhere/tasks/${OTHER}/unseen.1`, 40],
    ];
    for (const [token, where, days] of cases) {
      await put(token, 500);
      await sign(`.use.${token}.${OTHER}.${token}`, where, days);
    }
    const { pruned, kept } = await prune();
    expect(pruned).toEqual(['ended.1', 'forgotten.1', 'gone.1']);
    expect(kept).toEqual({ inUse: 3, recent: 0 });
  });

  test('a launch signs for its images, and what it leaves goes with the attempt', async () => {
    const { on, put, prune, names, directory } = await house(shell);
    await put('mini-1', 40);
    await put('later-1', 40);
    const image = { path: `${directory}/mini-1.sif`, inCache: true };
    const later = { path: `${directory}/later-1.sif`, inCache: true };
    const launch = { image, laterImages: [image, later] };
    const attempt = on.attempt(`until [ -e '${on.dir}/go' ]; do sleep 0.05; done`, { launch });
    expect((await attempt.launch()).kind).toBe('launched');
    const [daemonId = ''] = await readdir(`${on.root}/tasks`);
    const used = [`.used.later-1.${daemonId}`, `.used.mini-1.${daemonId}`];
    const { token } = attempt;
    const signs = [`.use.later-1.${daemonId}.${token}`, `.use.mini-1.${daemonId}.${token}`];
    const marks = async () => (await names()).filter((name) => name.startsWith('.'));
    expect(await marks()).toEqual([...signs, ...used]);
    expect((await prune({ olderThanMs: 0 })).kept).toEqual({ inUse: 2, recent: 0 });
    await writeFile(`${on.dir}/go`, '');
    await attempt.ended();
    const clean = cleanText({ root: on.root, daemonId, tokens: [attempt.token] });
    await until(async () => (await on.run(clean)).includes('@ cleaned'));
    expect(await marks()).toEqual(used);
    expect(await prune()).toEqual({ pruned: [], kept: { inUse: 0, recent: 2 } });
    expect((await prune({ olderThanMs: 0 })).pruned).toEqual(['later-1', 'mini-1']);
    expect(await names()).toEqual([]);
    await put('mini-1', 40);
    const late = on.attempt('true', { launch });
    expect((await late.launch()).kind).toBe('image-gone');
    expect((await names()).filter((name) => name.startsWith('.use.'))).toEqual([]);
  });
});
