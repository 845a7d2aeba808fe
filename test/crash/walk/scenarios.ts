/** The scenarios of the walk by name; each passes other points of the product. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isAppError } from '../../../src/domain/failure.ts';
import { onHost, testbed } from '../../support/bed.ts';
import { COUNTED, runtimePulls, stored } from '../../support/crash-task.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { hpc } from '../../support/slurm/cluster.ts';
import { eventually } from './eventually.ts';
import { oneTask, type Scene } from './one-task.ts';
import { outputDirectory } from './oracle.ts';
import type { Scenario } from './scenario.ts';
import { wholeTask } from './whole-task.ts';

const CLUSTER = {
  hosts: {
    hpc: { on: 'hpc', keys: { scheduler: 'slurm', partition: 'long', queue_poll_min: '1s' } },
  },
} as const;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  task: wholeTask,
  pull: oneTask({
    about: 'an image that the host does not have yet',
    options: { vm: { ...COUNTED, image_cache_dir: '' } },
    image: imageOf,
    payload: 'echo pulled',
    end: ['succeeded 0'],
    starts: 1,
    stdout: 'pulled\n',
    remains: ({ daemon }) => assert.equal(runtimePulls(imageName(daemon.dir)), 1, 'pulled once'),
  }),
  slurm: oneTask({
    about: 'a task that is a job of the cluster, with real Slurm',
    on: 'hpc',
    options: CLUSTER,
    image: async () => (await hpc()).image,
    payload: 'echo begun; sleep 1; echo made >one',
    spec: (out) => ({ outputs: [{ path: 'one', local: join(out, 'one') }] }),
    end: ['succeeded 0'],
    starts: 1,
    stdout: 'begun\n',
    after: { one: 'made\n' },
  }),
  'slurm-cancel': oneTask({
    about: 'a job of the cluster is cancelled while it runs',
    on: 'hpc',
    options: CLUSTER,
    image: async () => (await hpc()).image,
    payload: 'echo begun; sleep 300',
    meanwhile: cancelOnceStarted,
    end: ['cancelled'],
    starts: 1,
    stdout: 'begun\n',
  }),
  cancel: oneTask({
    about: 'a running command that does not heed TERM, and its children, are cancelled',
    payload: "trap '' TERM; echo begun; sleep 300 & sleep 300",
    meanwhile: cancelOnceStarted,
    end: ['cancelled'],
    starts: 1,
    stdout: 'begun\n',
  }),
  retries: oneTask({
    about: 'a command that fails is tried again by policy, then again by request, then works',
    payload:
      'echo "$TOWLINE_ATTEMPT" | sed "s/.*[.]/attempt /"; case $TOWLINE_ATTEMPT in *.3) ;; *) exit 3 ;; esac',
    spec: () => ({ retries: 1 }),
    end: ['failed 3', 'succeeded 0'],
    afterwards: retryOnce,
    starts: 3,
  }),
  time: oneTask({
    about: 'a command is ended at its time limit',
    payload: 'echo begun; sleep 300',
    // enough for a container of a busy machine to have begun
    spec: () => ({ time: '8s' }),
    end: ['failed 143', 'failed 137', 'failed -'],
    starts: 1,
    stdout: 'begun\n',
  }),
  overwrite: oneTask({
    about:
      'outputs that replace files, a directory of outputs, one that the command failed to make',
    payload: 'mkdir -p d; for i in 1 2 3; do echo new >d/$i; done; echo new >one; exit 4',
    before: { one: 'old', 1: 'old' },
    spec: (out) => ({
      acceptExit: [4],
      outputs: [
        { path: 'one', local: join(out, 'one'), overwrite: true },
        { path: 'd/*', local: out, overwrite: true },
      ],
    }),
    end: ['succeeded 4'],
    starts: 1,
    after: { one: 'new\n', 1: 'new\n', 2: 'new\n', 3: 'new\n' },
  }),
  gc: oneTask({
    about: 'a failed task is kept, then cleaned by gc, then forgotten by gc',
    payload: 'echo kept; exit 5',
    spec: () => ({ cleanup: 'on-success' }),
    end: ['failed 5'],
    afterwards: forgetByGc,
    starts: 1,
    known: false,
    remains: ({ daemon }) => {
      const spool = join(daemon.stateDir, 'spool');
      assert.deepEqual(
        existsSync(spool) ? readdirSync(spool) : [],
        [],
        'the streams are gone, too',
      );
    },
  }),
  finish: oneTask({
    about:
      'a command of the user is run at the end of a task: at least once, and told of the task each time',
    payload: 'exit 3',
    spec: (out) => ({
      onFinish: `read -r _; echo "$TOWLINE_TASK_ID $TOWLINE_STATE $TOWLINE_EXIT_CODE" >>'${out}.finish'`,
    }),
    end: ['failed 3'],
    afterwards: finished,
    starts: 1,
    remains: ({ daemon, id }) => {
      const lines = readFileSync(`${outputDirectory(daemon)}.finish`, 'utf8')
        .trimEnd()
        .split('\n');
      assert.deepEqual([...new Set(lines)], [`${id} failed 3`]);
      assert.ok(lines.length <= 2, `run ${lines.length} times`);
    },
  }),
  forget: oneTask({
    about: 'a host is drained, paused, resumed, then forgotten with what a task left there',
    payload: 'echo kept',
    spec: () => ({ cleanup: 'never' }),
    end: ['succeeded 0'],
    afterwards: forgetHost,
    starts: 1,
    stdout: 'kept\n',
    remains: async ({ daemon }) => {
      assert.equal(await onHost('vm', 'sh', '-c', 'ls -A "$0" 2>/dev/null; true', daemon.root), '');
    },
  }),
};

async function cancelOnceStarted({ ask, id }: Scene): Promise<void> {
  await ask(async (client) => {
    for await (const _ of client.logs(id, 'stdout', { follow: true })) return;
  });
  await ask((client) => client.cancel(id));
}

/** Asking twice is refused by name: the attempt that was asked for is there. */
async function retryOnce({ daemon, ask, id }: Scene): Promise<void> {
  if (stored(daemon, id)?.attempt === 2) {
    await ask((client) => client.retry(id)).catch((error: unknown) => {
      if (!isAppError(error) || error.code !== 'TASK_WRONG_STATE') throw error;
    });
  }
  const view = await ask((client) => client.wait(id));
  assert.equal(`${view.state} ${view.exitCode} ${view.attempt}`, 'succeeded 0 3');
  await eventually(() => stored(daemon, id)?.cleanup === 'done');
}

async function finished({ ask, id }: Scene): Promise<void> {
  await eventually(async () => {
    const { onFinish } = await ask((client) => client.get(id));
    return onFinish?.state === 'done';
  });
}

async function forgetByGc({ daemon, ask, id }: Scene): Promise<void> {
  const isClean = (): boolean => [undefined, 'done'].includes(stored(daemon, id)?.cleanup);
  await ask((client) => client.gc({ olderThanMs: 0 }));
  await eventually(isClean);
  await ask((client) => client.gc({ olderThanMs: 0 }));
  await eventually(() => stored(daemon, id) === undefined);
}

async function forgetHost({ ask }: Scene): Promise<void> {
  await ask((client) => client.drainHost('vm'));
  await ask((client) => client.pauseHost('vm'));
  await eventually(async () => {
    await ask((client) => client.resumeHost('vm'));
    const { roots } = await ask((client) => client.forgetHost('vm', { dryRun: false }));
    // While anybody of this account pulls, wherever to, images are kept, and that is said.
    return roots.every(({ kept }) => kept.length === 0);
  });
  const { mode } = await ask((client) => client.host('vm'));
  assert.equal(mode, 'paused');
}

/** An image of this run's own, so that its pulls can be told from others. */
async function imageOf({ dir }: TestDaemon): Promise<string> {
  await testbed('image', imageName(dir));
  return `docker://registry:5000/${imageName(dir)}`;
}

function imageName(dir: string): string {
  return `${basename(dir).toLowerCase()}:1`;
}
