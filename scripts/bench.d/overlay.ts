/**
 * A task with the default overlay against one without, and what an overlay is made of: made by the runtime with and
 * without --sparse, copied from a model, mounted by the runtime.
 */
import { MINI, onHost } from '../../test/support/bed.ts';
import { makeDaemon, type TestDaemon } from '../../test/support/daemon.ts';
import { median, type Scenario, timed } from './compare.ts';

const PART_ROUNDS = 7;
/** It writes a gigabyte. */
const WHOLE_ROUNDS = 3;
const PROMISE_MS = 500;

export async function openOverlay(): Promise<Scenario> {
  const daemon = makeDaemon();
  await daemon.start();
  const kept: Record<'with' | 'without', number[]> = { with: [], without: [] };
  const task = (key: keyof typeof kept, options: string[]) => async (): Promise<void> => {
    const run = async (): Promise<void> => {
      const ran = await daemon.cli('run', ...options, '--host', 'vm', MINI, '--', 'true');
      if (ran.code !== 0) throw new Error(`towline run ended with ${ran.code}: ${ran.stderr}`);
    };
    kept[key].push(await timed({ run }));
  };
  return {
    ours: {
      label: '`towline run --overlay-size=1GiB … -- true`',
      run: task('with', ['--overlay-size=1GiB']),
    },
    theirs: { label: '`towline run … -- true`', run: task('without', []) },
    async parts() {
      // the first of each warms up
      const added = kept.with.slice(1).map((ms, at) => ms - (kept.without[at + 1] ?? 0));
      const first = `${((kept.with[0] ?? 0) - (kept.without[0] ?? 0)).toFixed(0)} ms`;
      return {
        'the overlay adds (of the pairs)': `${span(added)}; promised: less than ${PROMISE_MS} ms`,
        'it adds to the first task of a day, which makes the model': first,
        ...(await partsOf(daemon)),
      };
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

const SPARSE = '`apptainer overlay create --sparse --size 1024`';
const WHOLE = '`apptainer overlay create --size 1024`';

/** What is done on the host, by the words of run.sh. */
function partTexts(sif: string): Record<string, string> {
  const exec = (option: string) => `apptainer exec --containall ${option} '${sif}' /bin/true`;
  return {
    [SPARSE]: 'rm -f made.img && apptainer overlay create --sparse --size 1024 made.img',
    [WHOLE]: 'rm -f whole.img && apptainer overlay create --size 1024 whole.img',
    '`cp --sparse=always` of one': 'rm -f copy.img && cp --sparse=always made.img copy.img',
    '`apptainer exec` without an overlay': exec(''),
    '… with that copy': exec('--overlay copy.img'),
    '… with a directory': exec('--overlay layer'),
    'the way into the host, in each of these': ':',
  };
}

/** All in turn. */
async function partsOf(daemon: TestDaemon): Promise<Record<string, string>> {
  const dir = `${daemon.root}/bench`;
  const shell = (text: string): Promise<string> =>
    onHost('vm', 'su', 'alice', '-s', '/bin/sh', '-c', text);
  await shell(`mkdir -p '${dir}/layer'`);
  const sif = (await shell('ls ~/test-images/*mini_1-*.sif | head -n 1')).trim();
  const texts = Object.entries(partTexts(sif));
  const times = new Map<string, number[]>(texts.map(([label]) => [label, []]));
  for (let round = 0; round < PART_ROUNDS; round += 1) {
    for (const [label, text] of texts) {
      if (label === WHOLE && round >= WHOLE_ROUNDS) continue;
      const run = async () => void (await shell(`cd '${dir}' && { ${text}; } >out 2>&1`));
      times.get(label)?.push(await timed({ run }));
    }
  }
  return Object.fromEntries([...times].map(([label, values]) => [label, span(values)]));
}

function span(values: readonly number[]): string {
  const ms = (value: number): string => value.toFixed(0);
  return `${ms(median(values))} ms (${ms(Math.min(...values))} to ${ms(Math.max(...values))})`;
}
