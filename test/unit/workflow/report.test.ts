/** Goal: a report says how long each attempt was in which state, and what it used. Method: events as the daemon tells them. */
import { describe, expect, it } from 'vitest';
import type { EventView, TaskView } from '../../../src/protocol/views.ts';
import { attemptsOf } from '../../../src/workflow/report/attempts.ts';
import { hasOwnFailure, makeReport } from '../../../src/workflow/report/report.ts';
import { reportGraph } from '../../../src/workflow/report/report-graph.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
type Told = [
  second: number,
  kind: string,
  state: string,
  data?: Record<string, unknown>,
  attempt?: number,
];

function events(...told: Told[]): EventView[] {
  return told.map(([second, kind, state, data = {}, attempt = 1], seq) => ({
    type: 'event',
    seq,
    at: new Date(START + second * 1000).toISOString(),
    task: 't',
    attempt,
    kind,
    state,
    data,
  }));
}

/** `waiting 0-2`, in seconds since the start. */
function told(list: EventView[], now = 100): string[] {
  return attemptsOf(list, START + now * 1000).map(({ attempt, result, stretches }) => {
    const pieces = stretches.map(
      ({ state, from, to, blocked }) =>
        `${state} ${(from - START) / 1000}-${(to - START) / 1000}${blocked === undefined ? '' : ` ${blocked}`}`,
    );
    return `${attempt} ${result ?? '-'}: ${pieces.join(', ')}`;
  });
}

const USED = { wallMs: 3000, cpuUserMs: 1000, cpuSystemMs: 500 };

describe('attempts', () => {
  it('a task from its submission to the end of its cleaning', () => {
    const list = events(
      [0, 'submitted', 'waiting'],
      [2, 'predecessor-ended', 'queued'],
      [3, 'placed', 'staging', { host: 'vm' }],
      [4, 'staged', 'pulling', { files: 1, bytes: 2048 }],
      [4.5, 'pull-started', 'pulling'],
      [5, 'image-ready', 'launching'],
      [6, 'launched', 'running'],
      [9, 'exited', 'collecting'],
      [
        10,
        'collected',
        'succeeded',
        {
          outputs: [{ bytes: 3 }, { bytes: 4 }],
          end: { result: 'succeeded', code: 0, usage: USED },
        },
      ],
      [11, 'cleaned', 'succeeded'],
    );
    expect(told(list)).toEqual([
      '1 succeeded: waiting 0-2, queued 2-3, staging 3-4, pulling 4-5, launching 5-6, running 6-9, collecting 9-10, cleaning 10-11',
    ]);
    expect(attemptsOf(list, START)[0]).toMatchObject({
      host: 'vm',
      exitCode: 0,
      stagedBytes: 2048,
      collectedBytes: 7,
      usage: USED,
    });
  });

  it('another attempt begins where one ended; its late cleaning does not disturb it', () => {
    const list = events(
      [0, 'submitted', 'queued'],
      [1, 'placed', 'pulling', { host: 'a' }],
      [2, 'launched', 'running'],
      [4, 'exited', 'queued', { end: { result: 'failed', code: 4, again: true } }],
      [5, 'placed', 'pulling', { host: 'b' }, 2],
      [6, 'cleaned', 'pulling', {}, 1],
      [6.5, 'hook-ended', 'pulling', {}, 1],
      [7, 'launched', 'running', {}, 2],
      [9, 'exited', 'succeeded', { end: { result: 'succeeded', code: 0 } }, 2],
    );
    expect(told(list)).toEqual([
      '1 failed: queued 0-1, pulling 1-2, running 2-4, cleaning 4-6',
      '2 succeeded: queued 4-5, pulling 5-7, running 7-9',
    ]);
    expect(attemptsOf(list, START).map(({ host }) => host)).toEqual(['a', 'b']);
  });

  it('what goes on is open until now; time when it could not go on has its reason', () => {
    const list = events(
      [0, 'submitted', 'queued'],
      [1, 'placed', 'pulling', { host: 'vm' }],
      [2, 'blocked', 'pulling', { blocked: { reason: 'SSH_HOST_UNREACHABLE' } }],
      [5, 'unblocked', 'pulling'],
      [6, 'launched', 'running'],
    );
    expect(told(list, 10)).toEqual([
      '1 -: queued 0-1, pulling 1-2, pulling 2-5 SSH_HOST_UNREACHABLE, pulling 5-6, running 6-10',
    ]);
  });

  it('what was kept and removed days later, or asked for again, is not drawn over the time between', () => {
    const failed: Told[] = [
      [0, 'submitted', 'queued'],
      [1, 'launched', 'running'],
      [2, 'exited', 'failed', { end: { result: 'failed' } }],
    ];
    expect(
      told(events(...failed, [9000, 'gc-asked', 'failed'], [9001, 'cleaned', 'failed'])),
    ).toEqual(['1 failed: queued 0-1, running 1-2']);
    const again: Told[] = [
      [50, 'retry-asked', 'queued', {}, 2],
      [60, 'launched', 'running', {}, 2],
    ];
    expect(told(events(...failed, ...again), 70)).toEqual([
      '1 failed: queued 0-1, running 1-2',
      '2 -: queued 50-60, running 60-70',
    ]);
  });

  it('a clock that was set back, and data that is none, do no harm', () => {
    const list = events(
      [5, 'submitted', 'queued'],
      [3, 'launched', 'running', { blocked: 7 }],
      [9, 'exited', 'failed', { end: { result: 'failed', usage: 'x', failure: [] } }],
    );
    expect(told(list)).toEqual(['1 failed: running 3-9']);
  });
});

function view(id: string, more: Partial<TaskView> & { after?: string[] } = {}): TaskView {
  const { after = [], ...rest } = more;
  const asked = { images: [], inputs: [], outputs: [], retries: 0, acceptExit: [0], after };
  return {
    id,
    name: id,
    state: 'succeeded',
    ended: true,
    attempt: 1,
    version: 1,
    command: ['x'],
    submittedAt: '2026-03-01T12:00:00.000Z',
    since: '2026-03-01T12:00:10.000Z',
    outputs: [],
    cleanup: { policy: 'always', state: 'done' },
    streams: { stdout: { bytes: 0, complete: true }, stderr: { bytes: 0, complete: true } },
    tags: { workflow: 'demo' },
    priority: 0,
    asked,
    ...rest,
  };
}

const failure = (code: string) => ({ code, message: 'm', hint: 'h', context: {} });

describe('a report', () => {
  it('sums what all attempts used, and tells consequences from reasons', () => {
    const list = events(
      [0, 'submitted', 'queued'],
      [
        4,
        'exited',
        'queued',
        { end: { result: 'failed', usage: { ...USED, maxRssBytes: 9 }, again: true } },
      ],
      [9, 'exited', 'failed', { end: { result: 'failed', usage: USED } }, 2],
    );
    const report = makeReport(
      [
        view('a', { state: 'failed', failure: failure('TASK_EXIT_CODE') }),
        view('b', {
          state: 'error',
          failure: failure('TASK_PREDECESSOR_FAILED'),
          after: ['a', 'elsewhere'],
        }),
      ],
      new Map([['a', list]]),
      { run: 'r1', now: START + 20_000 },
    );
    expect(report).toMatchObject({
      workflow: 'demo',
      isOver: true,
      from: START,
      to: START + 10_000,
      counts: [
        ['failed', 1],
        ['error', 1],
      ],
    });
    const [a, b] = report.tasks;
    expect(a).toMatchObject({ wallMs: 6000, cpuMs: 3000, maxRssBytes: 9 });
    expect(b?.after).toEqual(['a']);
    expect(report.tasks.map(hasOwnFailure)).toEqual([true, false]);
  });

  it('says what tasks still know when their events are gone', () => {
    const past = {
      attempt: 1,
      result: 'failed',
      host: 'vm',
      usage: USED,
      finishedAt: '2026-03-01T12:00:03.000Z',
    };
    const old = view('a', {
      attempt: 2,
      host: 'vm2',
      history: [past],
      startedAt: '2026-03-01T12:00:04.000Z',
      finishedAt: '2026-03-01T12:00:09.000Z',
    });
    const gone: EventView[] = [{ type: 'gap', since: 0, to: 9 }];
    const [task] = makeReport([old], new Map([['a', gone]]), { run: 'r', now: START }).tasks;
    expect(task?.attempts).toMatchObject([
      { attempt: 1, result: 'failed', host: 'vm', stretches: [] },
      {
        attempt: 2,
        result: 'succeeded',
        host: 'vm2',
        stretches: [{ state: 'running', from: START + 4000, to: START + 9000 }],
      },
    ]);
    expect(task?.wallMs).toBe(3000);
  });

  it('what goes on ends now', () => {
    const going = view('a', { state: 'running', ended: false });
    const report = makeReport([going], new Map(), { run: 'r', now: START + 5000 });
    expect(report).toMatchObject({ isOver: false, to: START + 5000 });
  });
});

describe('its graph', () => {
  const nodes = (...views: TaskView[]) =>
    reportGraph(makeReport(views, new Map(), { run: 'r', now: START }).tasks).map(
      ({ name, label, after, level, parts, states }) => ({
        name,
        label,
        after,
        level,
        parts,
        states,
      }),
    );

  it('parts of a scatter are one node, with how many are in which state', () => {
    const made = nodes(
      view('a'),
      view('p0', { name: 'part.0', after: ['a'] }),
      view('p1', { name: 'part.1', after: ['a'], state: 'failed' }),
      view('z', { after: ['p0', 'p1'], state: 'error' }),
    );
    expect(made).toEqual([
      { name: 'a', label: 'a', after: [], level: 0, parts: undefined, states: [['succeeded', 1]] },
      {
        name: 'part.',
        label: 'part',
        after: ['a'],
        level: 1,
        parts: 2,
        states: [
          ['succeeded', 1],
          ['failed', 1],
        ],
      },
      {
        name: 'z',
        label: 'z',
        after: ['part.'],
        level: 2,
        parts: undefined,
        states: [['error', 1]],
      },
    ]);
  });

  it('tasks that only look like parts and wait for each other stay apart', () => {
    const made = nodes(
      view('s0', { name: 'step.0' }),
      view('s1', { name: 'step.1', after: ['s0'] }),
    );
    expect(made.map(({ label, level }) => [label, level])).toEqual([
      ['step.0', 0],
      ['step.1', 1],
    ]);
    // two tasks of one name are two boxes
    expect(nodes(view('x', { name: 'same' }), view('y', { name: 'same' }))).toHaveLength(2);
  });
});
