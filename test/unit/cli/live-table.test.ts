/**
 * Goal: the table of `workflow run` on a terminal: how far transfers are, the last line, never wider than the window,
 * colours and cursor as the user wants them. Method: the real command on a pseudo-terminal, a fake engine behind a
 * real socket; a screen that does what terminals do says what is seen. Frames alone by the pure functions.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../../../src/cli/workflow/board.ts';
import { rowsOf } from '../../../src/cli/workflow/frames.ts';
import { progressBar } from '../../../src/cli/workflow/progress-bar.ts';
import { tableFrame } from '../../../src/cli/workflow/table-frame.ts';
import { lastLine } from '../../../src/cli/workflow/tails.ts';
import { columnsOf } from '../../../src/domain/columns.ts';
import { FakeDaemon } from '../../support/fake-daemon.ts';
import type { FakeRun } from '../../support/fake-service.ts';
import { Screen } from '../../support/screen.ts';
import { openTerminal } from '../../support/test-terminal.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;

describe('a bar', () => {
  const half = {
    step: 'stage' as const,
    what: '/data/reads.fq',
    bytesDone: 5 * MIB,
    bytesTotal: 10 * MIB,
  };

  it.each([
    [70, '[===========>          ]   50%   5.0 MiB/10.0 MiB  reads.fq'],
    [43, '[===>  ]   50%   5.0 MiB/10.0 MiB  reads.fq'],
    [41, '[===>  ]   50%   5.0 MiB/10.0 MiB  reads…'],
    [37, '[=====>    ]   50%   5.0 MiB/10.0 MiB'],
    [30, '50%'],
    [2, '5…'],
  ])('with room for %i', (room, text) => {
    expect(progressBar(half, room)).toBe(text);
  });

  it('is full at the end, and goes to and fro when nobody knows the end', () => {
    expect(progressBar({ ...half, bytesDone: 11 * MIB }, 60)).toContain(
      '[======================]  100%',
    );
    const pull = (mib: number) =>
      progressBar({ step: 'pull', what: 'docker://a/b:1', bytesDone: mib * MIB }, 60);
    expect(pull(0)).toBe('[<=>                   ]        0 B  docker://a/b:1');
    expect(pull(4)).toBe('[                <=>   ]    4.0 MiB  docker://a/b:1');
    expect(pull(6)).toBe('[              <=>     ]    6.0 MiB  docker://a/b:1');
  });

  it('never takes more than its room', () => {
    for (const what of ['/x', '/日本語のファイル', `/${'long'.repeat(40)}`, '/a\u001b[2J\nb'])
      for (const bytesTotal of [undefined, 0, 7, 10 ** 13])
        for (let room = 1; room < 90; room += 1)
          expect(
            columnsOf(progressBar({ step: 'collect', what, bytesDone: 5, bytesTotal }, room)),
          ).toBeLessThanOrEqual(room);
  });
});

describe('a frame', () => {
  const row = (name: string, more: Partial<Row> = {}): Row => ({
    name,
    id: name,
    state: 'running',
    attempt: 1,
    level: 0,
    host: 'vm',
    startedAt: 0,
    ...more,
  });
  const rows = [
    row('日本語のとても長い名前'.repeat(3), { note: 'an 👍 emoji and\ta tab' }),
    row('running  running', {
      state: 'staging',
      progress: { step: 'stage', what: '/x', bytesDone: 1, bytesTotal: 2 },
    }),
    ...Array.from({ length: 30 }, (_, n) =>
      row(`t${n}`, { state: 'waiting', host: undefined, startedAt: undefined }),
    ),
    row('bad', { state: 'failed', code: 'TASK_EXIT_CODE', host: 'h'.repeat(80) }),
  ];
  const frame = (width: number, height: number) =>
    tableFrame(rows, {
      now: 5000,
      width,
      height,
      paint: (colour, text) => `<${colour}>${text}</>`,
      below: 'the daemon went away',
    });

  it('has no line wider than the window and no more lines than it, whatever its size', () => {
    for (let width = 1; width < 120; width += 3)
      for (const height of [1, 2, 4, 10, 23]) {
        const lines = frame(width, height).map((line) => line.replaceAll(/<\/?\w*>/g, ''));
        expect(lines.length).toBeLessThanOrEqual(height);
        for (const line of lines) expect(columnsOf(line), line).toBeLessThanOrEqual(width);
      }
  });

  it('shows what is busy or failed first, and colours nothing but the state', () => {
    const lines = frame(100, 8);
    expect(lines.filter((line) => line.includes('waiting</>')).length).toBe(1);
    expect(lines.find((line) => line.startsWith('running  running'))).toMatch(
      /^running {2}running +<cyan>staging<\/> .*\[=+>? +\] +50% {2}1 B\/2 B {2}x$/,
    );
    expect(lines.find((line) => line.startsWith('bad'))).toMatch(
      /<red>failed<\/> +h+… {2}5s +TASK_EXIT_CODE$/,
    );
    expect(lines.at(-1)).toBe('the daemon went away');
  });

  it('knows how many rows lines take after the window was made narrower', () => {
    expect(rowsOf([0, 80, 81, 10], 80)).toBe(5);
    expect(rowsOf([79, 79], 40)).toBe(4);
  });
});

it('the last line: unfinished ones count, a bar that is drawn in place is at its newest, colours are left out', () => {
  expect(lastLine('', 'one\ntw')).toBe('tw');
  expect(lastLine('tw', 'o\n')).toBe('two\n');
  expect(lastLine('two\n', '\n')).toBe('two\n');
  expect(lastLine('', ' 10%|#   \r 20%|##  ')).toBe(' 20%|##  ');
  expect(lastLine('', '\u001b[31mred\u001b[0m\r\n')).toBe('red\n');
});

describe('on a terminal', () => {
  let daemon: FakeDaemon;
  beforeEach(async () => {
    daemon = new FakeDaemon();
    await daemon.start();
    const tasks = {
      first: { command: ['x'] },
      bad: { command: ['x'] },
      [`long-${'name'.repeat(12)}`]: { command: ['x'] },
    };
    const defaults = { image: 'docker://mini' };
    writeFileSync(join(daemon.directory, 'w.json'), JSON.stringify({ name: 'w', defaults, tasks }));
  });
  afterEach(() => daemon.end());

  async function open(env = 'TERM=xterm-256color') {
    const cli = `${process.execPath} ${join(import.meta.dirname, '../../support/cli-entry.ts')}`;
    const lines = [
      `cd ${daemon.directory}; export TOWLINE_SOCKET=${daemon.socketPath} HOME=${daemon.directory}; unset NO_COLOR; export ${env}`,
      // the shell hears Ctrl-C, too, and has to live on
      'trap : INT; echo before',
      `sh -c 'echo pid $$; exec ${cli} workflow run w.json'`,
      'echo "code $?"',
    ];
    const terminal = await openTerminal(lines.join('\n'));
    const screen = new Screen(91);
    let read = 0;
    const look = (): string => {
      screen.write(terminal.shown().slice(read));
      read = terminal.shown().length;
      return screen.shown().join('\n');
    };
    const sees = (text: string | RegExp) =>
      until(
        () => (typeof text === 'string' ? look().includes(text) : text.test(look())),
        () => `${text} in\n${look()}`,
      );
    return { terminal, screen, sees, look };
  }

  /** Each task waits for its word; first has something brought before it runs. */
  function gated(): { runs: Map<string, FakeRun>; go: (name: string, code: number) => void } {
    const runs = new Map<string, FakeRun>();
    const gates = new Map<string, (code: number) => void>();
    daemon.service.script = (run) => {
      const name = run.spec.name ?? '';
      runs.set(name, run);
      run.pass('staging');
      return new Promise((resolve) => {
        gates.set(name, resolve);
        run.cancelled.addEventListener('abort', () => resolve(143));
      });
    };
    return { runs, go: (name, code) => gates.get(name)?.(code) };
  }

  it('shows how far transfers are, in place, through a resize, and the summary; the cursor comes back', async () => {
    const { runs, go } = gated();
    const { terminal, screen, sees, look } = await open();
    await sees(/first +staging/);
    expect(screen.isCursorHidden).toBe(true);
    runs.get('first')?.progress({
      step: 'stage',
      what: '/data/reads.fq',
      bytesDone: 3 * MIB,
      bytesTotal: 12 * MIB,
    });
    await sees(/first +staging .*\[=+> +\] +25% {2,3}3\.0 MiB\/12\.0 MiB/);
    expect(look()).toMatch(
      /^before\npid \d+\ntowline: w: 3 tasks submitted, workflow-run=\w+\nNAME/m,
    );
    expect(screen.tooLong).toEqual([]);
    terminal.resize(60, 20);
    screen.resize(60);
    await until(
      () =>
        look()
          .split('\n')
          .every((line) => columnsOf(line) < 60) && screen.shown().includes('3 tasks: 3 staging'),
      look,
    );
    // a frame that was on its way meanwhile may have been too wide
    screen.tooLong.length = 0;
    // nothing of the wider frame is left above
    expect(look().match(/^NAME/gm)).toHaveLength(1);
    expect(look()).toMatch(/workflow-run=\w+\nNAME/m);
    expect(look()).toContain(' 25%');
    runs.get('first')?.pass('launching');
    go('first', 0);
    go('bad', 7);
    for (const name of runs.keys()) go(name, 0);
    await sees('code 3');
    expect(await terminal.ended).toBe(0);
    expect(screen.isCursorHidden).toBe(false);
    expect(screen.tooLong.filter((line) => !/^(towline|bad|hint)/.test(line))).toEqual([]);
    expect(screen.frames).toBeGreaterThan(3);
    const end = look();
    expect(end).toMatch(/first +succeeded/);
    expect(end.match(/^3 tasks: 2 succeeded, 1 failed/gm)).toHaveLength(1);
    expect(end).toContain('towline: 3 tasks: 2 succeeded, 1 failed\n');
    expect([...screen.colours]).toEqual(expect.arrayContaining(['1', '31', '32', '36', '0']));
  });

  it.each([1, 2, 3])('Ctrl-C %i times: it says so, and the cursor comes back', async (times) => {
    const { go, runs } = gated();
    const { terminal, screen, sees } = await open();
    await sees(/bad +staging/);
    terminal.type('\u0003');
    await sees('stopping: 0 tasks');
    if (times === 1) for (const name of runs.keys()) go(name, 0);
    if (times > 1) {
      // what is cancelled does not end before the third one
      if (times === 3) daemon.service.cancel = () => new Promise(() => {});
      terminal.type('\u0003');
      if (times === 3) await sees('cancelling all tasks');
    }
    if (times === 3) terminal.type('\u0003');
    await sees('code 130');
    expect(screen.isCursorHidden).toBe(false);
    expect(await terminal.ended).toBe(0);
  });

  it('Ctrl-Z gives the cursor back meanwhile, and what was there before stays', async () => {
    const { runs, go } = gated();
    const { terminal, screen, sees, look } = await open();
    await sees(/bad +staging/);
    const pid = Number(/pid (\d+)/.exec(look())?.[1]);
    terminal.type('\u001a');
    await until(() => /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    // what it wrote before it stopped may still be on its way through the terminal
    await until(() => look() !== '' && !screen.isCursorHidden);
    process.kill(pid, 'SIGCONT');
    await until(() => look().match(/^NAME/gm)?.length === 2);
    expect(screen.isCursorHidden).toBe(true);
    for (const name of runs.keys()) go(name, 0);
    await sees('code 0');
    expect(screen.isCursorHidden).toBe(false);
  });

  it('has no colours with NO_COLOR, and is no table on a terminal that can nothing', async () => {
    gated();
    daemon.service.script = () => 0;
    const plain = await open('NO_COLOR=1');
    await plain.sees('code 0');
    expect([...plain.screen.colours]).toEqual([]);
    expect(plain.screen.frames).toBeGreaterThan(0);
    const dumb = await open('TERM=dumb');
    await dumb.sees('code 0');
    expect(dumb.terminal.shown()).not.toContain('\u001b');
    expect(dumb.look()).toContain('first  succeeded  ');
  });
});
