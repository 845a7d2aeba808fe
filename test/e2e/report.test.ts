/**
 * Goal: the report of a run can be read by people: all of it is there, at every width, in light and dark and on
 * paper; it fetches nothing, runs nothing, and what a host says stays text. Method: a real run on the bed, its page
 * in a real browser.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STATE_COLOURS } from '../../src/workflow/state-colours.ts';
import { MINI, REPO } from '../support/bed.ts';
import { type Browser, openBrowser, type Page } from '../support/browser.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { readPng } from '../support/png.ts';
import { Screen } from '../support/screen.ts';
import { openTerminal } from '../support/test-terminal.ts';

let daemon: TestDaemon;
let browser: Browser;
let page: Page;
const screen = new Screen(91);

const sh = (text: string, ...after: string[]) => ({ command: ['sh', '-c', text], after });
/** Enough to be seen on its way. */
const BYTES = 48 * 1024 * 1024;
const SAID = '</pre></script><script>document.title=1</script><img src=http://127.0.0.1:9/x> שלום';

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
  writeFileSync(join(daemon.dir, 'words.bin'), randomBytes(BYTES));
  const tasks = {
    prepare: { ...sh('wc -c < /mnt/task/inputs/words.bin'), inputs: ['words.bin'] },
    part: {
      ...sh(`echo \${n} > out.txt`, 'prepare'),
      outputs: [`out.txt:parts/\${n}.txt`],
      scatter: { over: ['a', 'b', 'c'], as: 'n' },
    },
    flaky: { ...sh('case $TOWLINE_ATTEMPT in *.1) exit 4;; esac', 'prepare'), retries: 1 },
    broken: sh(`printf '%s\\n\\033[2J\\342\\200\\256' '${SAID}' >&2; exit 3`, 'prepare'),
    never: sh('true', 'broken'),
  };
  const file = join(daemon.dir, 'demo.json');
  writeFileSync(
    file,
    JSON.stringify({ name: 'demo', defaults: { image: MINI, host: 'vm' }, tasks }),
  );
  const run = await runOnTerminal(file);
  await daemon.cli('workflow', 'report', run, '--html', 'report.html');
  browser = openBrowser();
  page = await browser.open(pathToFileURL(join(daemon.dir, 'report.html')).href);
});

/** Gives the id of the run. */
async function runOnTerminal(file: string): Promise<string> {
  const cli = `${process.execPath} ${join(REPO, 'src/main.ts')}`;
  const terminal = await openTerminal(
    `cd ${daemon.dir}; export TOWLINE_SOCKET=${daemon.socket}; ${cli} workflow run ${file}; echo "code $?"`,
  );
  await terminal.sees('workflow-run=');
  await terminal.sees('code 3');
  screen.write(terminal.shown());
  return /workflow-run=(\w+)/.exec(terminal.shown())?.[1] ?? '';
}

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

const text = (selector: string): Promise<string> =>
  page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => e.innerText).join('\\n')`,
  );

test('while it ran a terminal had a table with bars, in place; the cursor is back', () => {
  expect(screen.shown().filter((line) => line.startsWith('NAME'))).toHaveLength(1);
  expect(
    screen.written.some((line) =>
      /^prepare +staging +vm .*\[=*>? *\] +\d+% .*48\.0 MiB/.test(line),
    ),
  ).toBe(true);
  expect(screen.tooLong.filter((line) => !/^(towline|hint|broken|never)/.test(line))).toEqual([]);
  expect(screen.isCursorHidden).toBe(false);
});

test('the page has the run, each attempt, each failure with its last words, and the graph', async () => {
  await page.look({ width: 1200, height: 900 });
  expect(await text('h1')).toBe('demo failed: 1 of 7 tasks');
  const rows = (await text('.tasks tbody tr'))
    .split('\n')
    .map((row) => row.split('\t').slice(0, 5));
  expect(rows).toEqual([
    ['prepare', 'succeeded', 'vm', '0', '1'],
    ['part.0', 'succeeded', 'vm', '0', '1'],
    ['part.1', 'succeeded', 'vm', '0', '1'],
    ['part.2', 'succeeded', 'vm', '0', '1'],
    ['flaky', 'succeeded', 'vm', '0', '2'],
    ['broken', 'failed', 'vm', '3', '1'],
    ['never', 'error', '-', '-', '1'],
  ]);
  expect(await text('article')).toMatch(
    /^broken failed on vm\s+TASK_EXIT_CODE: .* ended with code 3\s+hint: /,
  );
  expect(await text('article pre')).toBe(`${SAID}\n\\x1b[2J\\u202e`);
  expect(await text('article')).toContain('never waits for broken');
  expect(await text('article')).toContain(
    'flaky: attempt 1 failed on vm with code 4: TASK_EXIT_CODE; attempt 2 succeeded',
  );
  const bars = await page.evaluate<string[]>(
    `[...document.querySelectorAll('.timeline tbody tr')].map((row) => row.innerText.split('\\n')[0].trim() + ': ' + row.querySelector('svg').ariaLabel)`,
  );
  expect(bars).toHaveLength(8);
  expect(bars[0]).toMatch(
    /^prepare: queued .*, staging .*, pulling .*, launching .*, running .*, succeeded$/,
  );
  expect(
    bars.filter((bar) => bar.startsWith('flaky')).map((bar) => bar.split(', ').at(-1)),
  ).toEqual(['failed', 'succeeded']);
  expect(
    await page.evaluate(
      `[...document.querySelectorAll('.graph text')].map((e) => e.textContent).sort().join()`,
    ),
  ).toBe('broken,flaky,never,part ×3,prepare');
});

test('it fetches and runs nothing', async () => {
  expect(page.fetched).toHaveLength(1);
  expect(page.complaints).toEqual([]);
  expect(
    await page.evaluate(`document.title + document.scripts.length + document.images.length`),
  ).toBe('demo: failed: 1 of 7 tasks00');
});

const LOOKS = [
  { width: 1400, height: 900, scheme: 'light', media: 'screen' },
  { width: 1400, height: 900, scheme: 'dark', media: 'screen' },
  { width: 480, height: 800, scheme: 'light', media: 'screen' },
  { width: 320, height: 600, scheme: 'dark', media: 'screen' },
  { width: 760, height: 1000, scheme: 'light', media: 'print' },
] as const;

test.each(LOOKS)('nothing is cut off or blank: $width wide, $scheme, $media', async (look) => {
  await page.look(look);
  // only what says so may be wider than the window
  const wide = `[...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll, svg, pre') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))`;
  expect(await page.evaluate(wide)).toEqual([]);
  const outside = `[...document.querySelectorAll('.graph svg')].filter((e) => e.querySelector('text').getBBox().width + 15 > e.width.baseVal.value).length`;
  expect(await page.evaluate(outside)).toBe(0);
  const bars = `[...document.querySelectorAll('.timeline td')].map((e) => e.clientWidth).sort((a, b) => a - b)[0]`;
  expect(await page.evaluate(bars)).toBeGreaterThan(look.width / 3);
  const { width, height, colours } = readPng(await page.picture());
  expect(width).toBe(look.width);
  expect(height).toBeGreaterThan(500);
  const [most] = [...colours].sort((a, b) => b[1] - a[1])[0] ?? [];
  expect(most).toBe(look.scheme === 'dark' ? '#14171d' : '#ffffff');
  // bars, marks and boxes are drawn in the colours of their states
  for (const state of ['running', 'succeeded', 'failed', 'error'])
    expect(colours.get(STATE_COLOURS[state] ?? ''), state).toBeGreaterThan(50);
  expect(colours.size).toBeGreaterThan(100);
});
