/**
 * Goal: the daemon may die at any moment. Wherever it dies, the same attempt goes on after a restart,
 * the payload is started once, and no byte is lost or repeated. Method: one realistic task against the
 * real host; the daemon is held at each step, looked at in the database, killed and restarted, and is
 * killed by itself at each commit and remote act. A traced run tells whether a point is missing here.
 */
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testbed } from '../support/bed.ts';
import {
  COUNTED,
  crashTask,
  heldAt,
  killedBy,
  runtimePulls,
  stored,
} from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

/** Where the daemon is held, and what the database has to say of the task just then. */
const HOLDS: [point: string, state: string, what: string][] = [
  ['stage.before', 'staging', 'about to stage'],
  ['stage.after', 'staging', 'staged'],
  ['pull.before', 'pulling', 'about to pull'],
  ['pull.after', 'pulling', 'pulled'],
  ['launch.before', 'launching', 'about to publish'],
  ['launch.after', 'launching', 'published and started'],
  ['watch.before', 'running', 'running and not looked at'],
  ['watch.after', 'running', 'seen to its end'],
  ['collect.before', 'collecting', 'about to collect'],
  ['collect.after', 'collecting', 'collected'],
  ['clean.before', 'succeeded', 'about to clean'],
  ['clean.after', 'succeeded', 'cleaned'],
];

const COMMITS = [
  'submitted',
  'placed',
  'staged',
  'image-ready',
  'launched',
  'exited',
  'collected',
  'cleaned',
].flatMap((kind) => [`commit.${kind}.before`, `commit.${kind}.after`]);

/** The runs: 1 the probe, 2 which inputs are there, 3 a part of one, 4 its check, 5 the image, 6 the launch. */
const REMOTE = [
  ...['remote.upload.before', 'remote.upload.after'],
  ...['remote.download.before', 'remote.download.after'],
  ...[1, 2, 3, 4, 5, 6].map((hit) => `remote.run.after:${hit}`),
  'remote.run.before:6',
];

/** Passed at every commit, whatever its kind: the same places as those above. */
const ALIASES = ['store.commit.before', 'store.commit.after'];

describe.concurrent('a daemon held at a step, killed and started again', () => {
  test.each(HOLDS)('at %s: the task is %s, %s, and goes on', async (point, state) => {
    await using daemon = makeDaemon({ vm: COUNTED });
    const task = crashTask(daemon, 2);
    await daemon.start({ TOWLINE_FAULT: `${point}:hold` });
    const id = await daemon.submit(...task.args);
    await heldAt(daemon, point);
    expect(stored(daemon, id)).toMatchObject({ kind: state, attempt: 1 });
    await daemon.kill('SIGKILL');
    await daemon.start();
    await task.expectOneWholeRun(id);
  });
});

describe.concurrent('a daemon killed at a point', () => {
  test.each([...COMMITS, ...REMOTE])('at %s: the task goes on after a restart', async (point) => {
    await using daemon = makeDaemon({ vm: COUNTED });
    const task = crashTask(daemon, 0.4);
    await daemon.start({ TOWLINE_FAULT: `${point}:kill` });
    const first = daemon.cli('submit', ...task.args);
    await killedBy(daemon, point.split(':')[0] ?? '');
    await daemon.start();
    const told = (await first).stdout.trim();
    // Whoever was not answered asks again with the same key, and has the task that there is.
    const id = await daemon.submit(...task.args);
    if (told !== '') expect(id).toBe(told);
    await task.expectOneWholeRun(id);
  });

  test('a pull that is under way goes on after a restart and is not begun again', async () => {
    await using daemon = makeDaemon({ vm: { ...COUNTED, image_cache_dir: '' } });
    const name = `${basename(daemon.dir).toLowerCase()}:1`;
    await testbed('image', name);
    const task = crashTask(daemon, 0.4, `docker://registry:5000/${name}`);
    await daemon.start({ TOWLINE_FAULT: 'remote.run.after:6:kill' });
    const id = await daemon.submit(...task.args);
    await killedBy(daemon, 'remote.run.after');
    expect(stored(daemon, id)).toMatchObject({ kind: 'pulling', attempt: 1 });
    await daemon.start();
    await task.expectOneWholeRun(id);
    expect(runtimePulls(name)).toBe(1);
  });

  test('a daemon killed again at each step of its recovery still starts the task once', async () => {
    await using daemon = makeDaemon({ vm: COUNTED });
    const task = crashTask(daemon, 0.4);
    await daemon.start({ TOWLINE_FAULT: 'remote.run.after:6:kill' });
    const id = await daemon.submit(...task.args);
    await killedBy(daemon, 'remote.run.after');
    for (const point of ['remote.run.before', 'launch.after', 'commit.launched.before']) {
      daemon.launch({ TOWLINE_FAULT: `${point}:kill` });
      await killedBy(daemon, point);
      expect(stored(daemon, id)).toMatchObject({ kind: 'launching', attempt: 1 });
    }
    await daemon.start();
    await task.expectOneWholeRun(id);
  });
});

test('every fault point that the task passes is tried here', async () => {
  await using daemon = makeDaemon({ vm: COUNTED });
  const task = crashTask(daemon, 0.4);
  await daemon.start({ TOWLINE_FAULT_TRACE: '1' });
  const id = await daemon.submit(...task.args);
  await task.expectOneWholeRun(id);
  await until(() => passed(daemon).has('commit.cleaned.after'));
  const tried = [...HOLDS.map(([point]) => point), ...COMMITS, ...REMOTE, ...ALIASES];
  expect(passed(daemon)).toEqual(new Set(tried.map((point) => point.split(':')[0])));
});

function passed(daemon: TestDaemon): Set<string> {
  const lines = daemon.log().matchAll(/fault point (\S+) passed/g);
  return new Set([...lines].map(([, point]) => point ?? ''));
}
