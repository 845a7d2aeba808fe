/**
 * Goal: one pull per image whoever asks, nothing half at the final name, and a job that died, hung or
 * was cancelled leaves the way free. Method: a fake runtime whose `pull` is a few lines of the test;
 * it notes each start in a ledger.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  imageListText,
  imageRemoveText,
  parseImageList,
  parseImageRemove,
} from '../../src/script/image-cache.ts';
import { imageThereText, parseImageThere } from '../../src/script/image-ready.ts';
import {
  type PullPlace,
  type PullReply,
  parsePull,
  pullCancelText,
  pullText,
} from '../../src/script/pull.ts';
import type { AskAgain } from '../../src/script/pull-newer.ts';
import { type Bench, fresh, openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

/** A SIF of 4096 bytes: magic at 32, data from 128 of 3968 bytes. */
const MAKE_SIF = `{ head -c 32 /dev/zero; printf 'SIF_MAGIC\\0'; head -c 70 /dev/zero; printf '\\200\\0\\0\\0\\0\\0\\0\\0\\200\\017\\0\\0\\0\\0\\0\\0'; head -c 3968 /dev/zero; } >"$file"`;
const BEGIN = `echo "$$" >>"$here/../ledger"; file=\${@:(-2):1}`;
const HOLD = `until [ -e "$here/../go-on" ]; do sleep 0.02; done`;

interface PullBench {
  on: Bench;
  ask(nonce: string, newer?: AskAgain, before?: string): Promise<PullReply>;
  settled(nonce: string, newer?: { everyMs: number }): Promise<PullReply>;
  cancel(): Promise<void>;
  starts(): Promise<number[]>;
  files(): Promise<string[]>;
}

async function open(
  pull: string,
  shell?: readonly string[],
  timeoutMs = 60_000,
  more: Partial<PullPlace> = {},
): Promise<PullBench> {
  const on = await openBench(shell);
  onTestFinished(() => on[Symbol.asyncDispose]());
  await writeFile(join(on.dir, 'bin/pull'), `${BEGIN}\n${pull}`);
  const place = (nonce: string) => ({
    directory: `${on.root}/pulled`,
    root: on.root,
    key: 'mini-0123',
    reference: 'docker://mini:1',
    ...more,
    runtime: join(on.dir, 'bin/apptainer'),
    insecure: false,
    nonce,
    timeoutMs,
  });
  const ask = async (nonce: string, newer?: AskAgain, before = '') =>
    parsePull(await on.run(`${before}\n${pullText({ newer, ...place(nonce) })}`), {
      host: 'bench',
    });
  return {
    on,
    ask,
    async settled(nonce, newer) {
      let reply = await ask(nonce, newer);
      const again = newer && 'joined';
      await until(
        async () =>
          (reply.kind === 'running' ? (reply = await ask(nonce, again)) : reply).kind !== 'running',
        () => JSON.stringify(reply),
      );
      return reply;
    },
    cancel: async () => void expect(await on.run(pullCancelText(place(fresh())))).toBe('@ ended\n'),
    starts: async () =>
      (await readFile(join(on.dir, 'ledger'), 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map(Number),
    files: async () => (await readdir(`${on.root}/pulled`)).sort(),
  };
}

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))(
  'with %s as sh',
  (_, shell) => {
    test('eight that want one image get it from one pull, whole, and nothing else is left', async () => {
      const bench = await open(`${HOLD}\n${MAKE_SIF}`, shell);
      const waiters = Array.from({ length: 8 }, () => bench.settled(fresh()));
      await until(async () => (await bench.starts()).length > 0);
      expect(await bench.files()).toEqual(['.pull-mini-0123']);
      await writeFile(join(bench.on.dir, 'go-on'), '');
      const replies = await Promise.all(waiters);
      for (const reply of replies) {
        expect(reply).toMatchObject({
          kind: 'ready',
          path: `${bench.on.root}/pulled/mini-0123.sif`,
        });
      }
      expect(await bench.starts()).toHaveLength(1);
      await until(
        async () => (await bench.files()).length === 2,
        () => 'the job to be gone',
      );
      expect(await bench.files()).toEqual(['mini-0123.json', 'mini-0123.sif']);
      const images = parseImageList(
        await bench.on.run(imageListText({ directory: `${bench.on.root}/pulled` })),
        { host: 'b' },
      );
      expect(images).toMatchObject([
        {
          reference: 'docker://mini:1',
          bytes: 4096,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ]);
      expect(await bench.settled(fresh())).toMatchObject({
        kind: 'ready',
        sha256: images[0]?.sha256,
      });
      const remove = { directory: `${bench.on.root}/pulled`, key: 'mini-0123' };
      parseImageRemove(await bench.on.run(imageRemoveText(remove)), { host: 'b', image: 'mini' });
      expect(await bench.files()).toEqual([]);
      expect(() => parseImageRemove('@ absent\n', { host: 'b', image: 'mini' })).toThrow(
        /not in the cache/,
      );
    });

    test("a failure is told with the runtime's words to all who waited; the next wish pulls anew", async () => {
      const bench = await open(
        `${HOLD}; [ -e "$here/../fixed" ] || { echo 'FATAL: @ odd "words" \\' >&2; exit 255; }; ${MAKE_SIF}`,
        shell,
      );
      const [one, two] = [fresh(), fresh()];
      expect((await bench.ask(one)).kind).toBe('running');
      expect((await bench.ask(two)).kind).toBe('running');
      await writeFile(join(bench.on.dir, 'go-on'), '');
      for (const nonce of [one, two]) {
        expect(await bench.settled(nonce)).toMatchObject({
          kind: 'failed',
          output: expect.stringContaining('FATAL: @ odd "words" \\'),
        });
      }
      expect(await bench.files()).toEqual(['.pull-mini-0123']);
      await writeFile(join(bench.on.dir, 'fixed'), '');
      expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready' });
      expect(await bench.starts()).toHaveLength(2);
    });

    test.each([
      ['one manifest', ['d'], `sha256:${'d'.repeat(64)}`],
      ['no manifest', [], undefined],
      ['two manifests of which one is ours', ['d', 'e'], undefined],
    ])("the digest is what the runtime's cache tells of %s", async (_, known, digest) => {
      const index = { manifests: known.map((c) => ({ digest: `sha256:${c.repeat(64)}` })) };
      const text = JSON.stringify(index, undefined, 1);
      const keep = `cd "$APPTAINER_CACHEDIR"; mkdir -p cache/blob; echo '${text}' >cache/blob/index.json; cd ..`;
      const bench = await open(`${keep}; ${MAKE_SIF}`, shell);
      expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready', digest });
      const list = await bench.on.run(imageListText({ directory: `${bench.on.root}/pulled` }));
      expect(parseImageList(list, { host: 'b' })[0]?.digest).toBe(digest);
    });

    test('a tag that moved is a further file; asked once in the time that an answer counts; what is there is never fetched again', async () => {
      // a registry whose tag is the content of a file, and the cache of a runtime that knows what it has
      const entry =
        'c="$APPTAINER_CACHEDIR/cache/oci-tmp"; mkdir -p "$c"; tag=$(cat "$here/../tag")';
      const make = `${MAKE_SIF}; printf %s "$tag" | dd of="$file" bs=1 seek=200 conv=notrunc 2>/dev/null; cp "$file" "$c/$tag"; echo "$tag" >>"$here/../made"`;
      const broken = `[ -n "$tag" ] || { echo 'connection refused' >&2; exit 255; }`;
      const pull = `${entry}; ${broken}; if [ -e "$c/$tag" ]; then cp "$c/$tag" "$file"; else ${make}; fi`;
      const bench = await open(pull, shell);
      const tag = (text: string) => writeFile(join(bench.on.dir, 'tag'), text);
      const made = async () => (await readFile(join(bench.on.dir, 'made'), 'utf8')).split('\n');
      const path = async (newer?: { everyMs: number }) => {
        const reply = await bench.settled(fresh(), newer);
        if (reply.kind === 'ready') return reply.path.slice(bench.on.root.length);
        return `${reply.kind}: ${'output' in reply ? reply.output : ''}`;
      };
      const always = { everyMs: 0 };
      await tag('aa');
      expect(await path()).toBe('/pulled/mini-0123.sif');
      expect(await path(always)).toBe('/pulled/mini-0123.sif');
      await tag('bb');
      expect(await path()).toBe('/pulled/mini-0123.sif');
      expect(await path({ everyMs: 60_000 })).toBe('/pulled/mini-0123.sif');
      const moved = await path(always);
      expect(moved).toMatch(/^\/pulled\/mini-0123\.g[0-9a-f]{16}\.sif$/);
      expect([await path(), await path(always)]).toEqual([moved, moved]);
      expect(await made()).toEqual(['aa', 'bb', '']);

      await tag('');
      expect(await path(always)).toMatch(/^failed: .*connection refused/s);
      const there = { directory: `${bench.on.root}/pulled`, key: 'mini-0123' };
      const found = parseImageThere(await bench.on.run(imageThereText(there)), 'looking');
      expect(found?.path).toBe(`${bench.on.root}${moved}`);
      expect(await path()).toBe(moved);
      parseImageRemove(await bench.on.run(imageRemoveText(there)), { host: 'b', image: 'mini' });
      expect(await bench.files()).toEqual(['.pull-mini-0123']);
      expect(await bench.on.run(imageThereText(there))).toBe('@ absent\n');
    });

    test('a job that ends while a newer image is asked for is no failure: the question is asked', async () => {
      const bench = await open(MAKE_SIF, shell);
      expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready' });
      const job = '.pull-mini-0123';
      const ends = `mkdir() { command mkdir "$@" || { rm -rf ${job}; return 1; }; }`;
      const directory = `${bench.on.root}/pulled`;
      await until(async () => !(await bench.files()).includes(job));
      await mkdir(join(directory, job));
      expect(await bench.ask(fresh(), { everyMs: 0 }, ends)).toEqual({ kind: 'running' });
    });

    test('a file that is cut is not taken for an image', async () => {
      const bench = await open(`${MAKE_SIF}; truncate -s 4000 "$file"`, shell);
      expect(await bench.settled(fresh())).toMatchObject({
        kind: 'failed',
        output: expect.stringContaining('not a whole SIF'),
      });
      expect(await bench.files()).toEqual(['.pull-mini-0123']);
    });
  },
);

test('a cancelled pull is ended to the last process and leaves nothing', async () => {
  const bench = await open(
    `setsid sleep 300 & echo $! >>"$here/../ledger"; echo part >"$file"; sleep 300`,
  );
  expect((await bench.ask(fresh())).kind).toBe('running');
  await until(async () => (await bench.starts()).length === 2);
  const pids = await bench.starts();
  expect(pids.every(alive)).toBe(true);
  await bench.cancel();
  await until(
    () => !pids.some(alive),
    () => `${pids} to be gone`,
  );
  expect(await bench.files()).toEqual([]);
});

test('a job that was killed is replaced at once, the runtime it left is ended', async () => {
  const bench = await open(`echo part >"$file"; ${HOLD}; ${MAKE_SIF}`);
  expect((await bench.ask(fresh())).kind).toBe('running');
  await until(async () => (await bench.starts()).length === 1);
  const [first] = await bench.starts();
  const owner = (await readFile(`${bench.on.root}/pulled/.pull-mini-0123/owner`, 'utf8')).split(
    ' ',
  );
  process.kill(Number(owner[2]), 'SIGKILL');
  const nonce = fresh();
  await until(async () => {
    expect((await bench.ask(nonce)).kind).toBe('running');
    return (await bench.starts()).length === 2;
  });
  await until(
    () => !alive(first as number),
    () => 'the first pull to end',
  );
  await writeFile(join(bench.on.dir, 'go-on'), '');
  expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready' });
});

test('a pull from before a boot is replaced at once; one of another machine is left alone', async () => {
  const bench = await open(`${HOLD}; ${MAKE_SIF}`);
  expect((await bench.ask(fresh())).kind).toBe('running');
  await until(async () => (await bench.starts()).length === 1);
  const path = `${bench.on.root}/pulled/.pull-mini-0123/owner`;
  const words = (await readFile(path, 'utf8')).trim().split(' ');
  await writeFile(path, `${words.with(6, 'node7').with(2, '999999').join(' ')}\n`);
  expect((await bench.ask(fresh())).kind).toBe('running');
  expect(await bench.starts()).toHaveLength(1);
  await writeFile(path, `${words.with(4, 'another-boot').join(' ')}\n`);
  await bench.ask(fresh());
  await until(async () => (await bench.starts()).length === 2);
  await writeFile(join(bench.on.dir, 'go-on'), '');
  expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready' });
});

test('without the room asked for nothing is begun, and it is said how much there is', async () => {
  const minFreeBytes = 2 ** 60;
  const bench = await open(MAKE_SIF, undefined, 60_000, { minFreeBytes });
  const reply = await bench.settled(fresh());
  const words = new RegExp(
    `not enough space in .*/pulled: [1-9]\\d* KiB free, ${2 ** 50} KiB needed`,
  );
  expect(reply).toMatchObject({ kind: 'failed', output: expect.stringMatching(words) });
  expect(await bench.starts()).toEqual([]);
  expect(await bench.files()).toEqual([]);
});

test('a pull of low priority leaves the processor to others', async () => {
  const nice = `nice >"$here/../nice"; ${MAKE_SIF}`;
  for (const [priority, value] of [
    ['low', '19'],
    ['normal', '0'],
  ] as const) {
    const bench = await open(nice, undefined, 60_000, { priority });
    expect(await bench.settled(fresh())).toMatchObject({ kind: 'ready' });
    expect((await readFile(join(bench.on.dir, 'nice'), 'utf8')).trim()).toBe(value);
  }
});

test('a login is a file of the job, named to the runtime, and goes with the job', async () => {
  const help = `[ "$1" != --help ] || { echo '  --authfile string'; exit; }`;
  const bench = await open(
    `${help}; echo "$REGISTRY_AUTH_FILE|$2" >"$here/../where"; ${HOLD}`,
    undefined,
    60_000,
    { auth: '{"auths":{}}' },
  );
  await bench.ask(fresh());
  const where = join(bench.on.dir, 'where');
  await until(async () => (await readFile(where, 'utf8').catch(() => '')) !== '');
  const [variable = '', option] = (await readFile(where, 'utf8')).trim().split('|');
  expect(option).toBe(variable);
  expect(await readFile(variable, 'utf8')).toBe('{"auths":{}}');
  expect((await stat(variable)).mode & 0o777).toBe(0o600);
  await bench.cancel();
  expect(await bench.files()).toEqual([]);
});

test('a pull that takes too long is ended and says so', async () => {
  const bench = await open('sleep 300', undefined, 300);
  expect(await bench.settled(fresh())).toMatchObject({
    kind: 'failed',
    output: expect.stringContaining('timeout'),
  });
  const pids = await bench.starts();
  await until(() => !pids.some(alive));
});

/** Processes of the job, whoever is their parent, with their words. */
async function jobProcesses(nonce: string): Promise<{ pid: number; words: string }[]> {
  const found: { pid: number; words: string }[] = [];
  for (const name of await readdir('/proc')) {
    const environ = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (!/^\d+$/.test(name) || !environ.includes(`TOWLINE_PULL=mini-0123.${nonce}`)) continue;
    const words = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    found.push({ pid: Number(name), words: words.replaceAll('\0', ' ') });
  }
  return found;
}

/** Some of them live for a moment only. */
function signal(jobs: { pid: number }[], name: NodeJS.Signals): void {
  for (const { pid } of jobs) {
    try {
      process.kill(pid, name);
    } catch {
      // it has ended
    }
  }
}

/** Makes the minute pass in which the heartbeat must have moved, for one who waits. */
async function passAMinute(bench: PullBench, nonce: string): Promise<void> {
  const path = `${bench.on.root}/pulled/.pull-mini-0123/watch.${nonce}`;
  const [since = '', seen = ''] = (await readFile(path, 'utf8')).trim().split(' ');
  await writeFile(path, `${Number(since) - 6_001} ${seen}\n`);
}

test('row 30: an owner that is stopped past its time is replaced and ended, and there is one good image', async () => {
  const bench = await open(`${HOLD}; ${MAKE_SIF}`);
  const [first, second] = [fresh(), fresh()];
  await bench.ask(first);
  await until(async () => (await bench.starts()).length === 1);
  const stopped = await jobProcesses(first);
  signal(stopped, 'SIGSTOP');
  expect((await bench.ask(second)).kind).toBe('running');
  expect((await bench.ask(second)).kind).toBe('running');
  expect(await bench.starts()).toHaveLength(1);
  await passAMinute(bench, second);
  await bench.ask(second);
  await until(async () => (await bench.starts()).length === 2);
  await until(() => !stopped.some(({ pid }) => alive(pid)));
  await writeFile(join(bench.on.dir, 'go-on'), '');
  expect(await bench.settled(second)).toMatchObject({ kind: 'ready' });
  await until(async () => (await bench.files()).length === 2);
  expect(await bench.files()).toEqual(['mini-0123.json', 'mini-0123.sif']);
});

test('row 30: an owner on another machine that goes on after it was replaced ends its own pull and publishes nothing', async () => {
  const bench = await open(`${HOLD}; ${MAKE_SIF}`);
  const [first, second] = [fresh(), fresh()];
  await bench.ask(first);
  await until(async () => (await bench.starts()).length === 1);
  const [runtime = 0] = await bench.starts();
  const stopped = await jobProcesses(first);
  signal(stopped, 'SIGSTOP');
  const owner = `${bench.on.root}/pulled/.pull-mini-0123/owner`;
  const words = (await readFile(owner, 'utf8')).trim().split(' ');
  await writeFile(owner, `${words.with(6, 'node7').join(' ')}\n`);
  await bench.ask(second);
  await passAMinute(bench, second);
  await bench.ask(second);
  await until(async () => (await bench.starts()).length === 2);
  expect(alive(runtime)).toBe(true);
  signal(stopped, 'SIGCONT');
  // The next beat, without the ten seconds until it.
  const naps = stopped.filter(
    ({ words: line }) => /^sleep [\d.]*[1-9]/.test(line) && !/0\.02/.test(line),
  );
  signal(naps, 'SIGKILL');
  await until(() => !alive(runtime));
  await writeFile(join(bench.on.dir, 'go-on'), '');
  const reply = await bench.settled(second);
  await until(async () => (await bench.files()).length === 2);
  const image = await readFile(`${bench.on.root}/pulled/mini-0123.sif`);
  expect(image).toHaveLength(4096);
  expect(reply).toMatchObject({
    kind: 'ready',
    sha256: createHash('sha256').update(image).digest('hex'),
  });
});
