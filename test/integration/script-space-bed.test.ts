/**
 * Goal: a full disk is told by its name, nothing half is published, and an exit record is never lost to
 * it. Method: a remote root on the bed's 2 MB disk.
 */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { attemptToken, type TaskId } from '../../src/domain/task.ts';
import { launchText } from '../../src/script/launch.ts';
import { parseLaunch } from '../../src/script/launch-reply.ts';
import { parseProbe, probeText } from '../../src/script/probe.ts';
import { parseStatus, statusText } from '../../src/script/status.ts';
import { supervisorScript } from '../../src/script/supervisor.ts';
import { taskScript } from '../../src/script/task-script.ts';
import { DAEMON, fresh, openScriptBed, type ScriptBed } from '../support/script-bed.ts';
import { until } from '../support/until.ts';
import { aLaunch, aScript } from '../unit/script/samples.ts';

let bed: ScriptBed;
let image = '';
let root = '';

beforeAll(async () => {
  bed = await openScriptBed('space');
  image = await bed.image('mini');
});
afterAll(() => bed[Symbol.asyncDispose]());

async function smallRoot(): Promise<void> {
  const rootTemplate = `/mnt/small/root-${fresh()}`;
  root = parseProbe(await bed.run(probeText({ rootTemplate, runtime: 'apptainer' })), {
    host: 'vm',
  }).root;
  onTestFinished(async () => void (await bed.run(`rm -rf ${root} /mnt/small/full`)));
}

function attempt(line: string) {
  const token = attemptToken(fresh() as TaskId, 1);
  const dir = `${root}/tasks/${DAEMON}/${token}`;
  const command = { kind: 'argv' as const, argv: ['sh', '-c', line] };
  const script = taskScript(
    aScript({
      dir,
      token,
      command,
      imagePath: image,
      binds: [],
      inputs: { files: [] },
      runtimeArgs: [],
    }),
  );
  const digest = 'cd'.repeat(32);
  const text = launchText({
    ...aLaunch({
      image: { path: image },
      inputs: { files: [] },
      timeLimitMs: 0,
      outputLimitBytes: 0,
    }),
    root,
    daemonId: DAEMON,
    token,
    nonce: fresh(),
    digest,
    files: [
      {
        name: 'spec.json',
        content: `{"format":1,"digest":"${digest}","token":"${token}"}\n`,
        mode: 0o600,
      },
      { name: 'run.sh', content: script, mode: 0o700 },
      { name: 'sup.sh', content: supervisorScript(), mode: 0o600 },
    ],
  });
  return { dir, text };
}

test('a launch on a full disk says so and leaves nothing; it works once there is room', async () => {
  await smallRoot();
  const { dir, text } = attempt('echo done');
  await bed.run('cat /dev/zero >/mnt/small/full');
  expect(parseLaunch(await bed.run(text))).toMatchObject({
    kind: 'failed',
    error: { code: 'HOST_NO_SPACE' },
  });
  expect(await bed.run(`ls -A ${root}/tasks/*`)).toBe('');
  // room for the directory, none for the exit record: the ticket must not be consumed
  await bed.run('truncate -s -48K /mnt/small/full');
  for (let tries = 0; tries < 60; tries += 1) {
    const reply = parseLaunch(await bed.run(text));
    if (reply.kind === 'launched') break;
    expect(reply).toMatchObject({ kind: 'failed', error: { code: 'HOST_NO_SPACE' } });
    expect(await bed.run(`ls -A ${dir} 2>/dev/null | grep -e '^go' -e '^sup\\.n'`)).toBe('');
    await bed.run('truncate -s -4K /mnt/small/full');
  }
  const query = [{ dir, nonce: 'x', pid: 0 }];
  await until(
    async () => parseStatus(query, await bed.run(statusText(query))).attempts[0]?.exit?.code === 0,
  );
});

test('a command that fills the disk with its output still gets its exit record', async () => {
  await smallRoot();
  const { dir, text } = attempt('cat /dev/zero; echo not reached');
  expect(parseLaunch(await bed.run(text))).toMatchObject({ kind: 'launched' });
  const query = [{ dir, nonce: 'x', pid: 0 }];
  let exit: unknown;
  await until(async () => {
    exit = parseStatus(query, await bed.run(statusText(query))).attempts[0]?.exit;
    return exit !== undefined;
  });
  // ENOSPC, as the supervisor found it
  expect(exit).toMatchObject({ copier: 'stdout', copierCode: 28 });
});
