/**
 * Goal: a paused host gets nothing and its tasks go on afterwards; a draining one ends what it has; a
 * forgotten one has nothing of ours, and still everything of the user's. Method: sshd's log, and root's
 * own look at the disk.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bedLog, MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon({ vm: { image_cache_dir: '' } });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

const reaches = (id: string, state: string) =>
  until(
    () => daemon.storedState(id) === state,
    () => `${id} is ${daemon.storedState(id)}, not ${state}`,
  );

test('setup makes the root and pulls the image of [defaults] when asked to', async () => {
  const text = (await daemon.cli('host', 'setup', 'vm')).stdout;
  expect(text).toMatch(/^runtime +apptainer version/m);
  expect(text).toContain('towline host setup vm --pull');
  expect(await onHost('vm', 'ls', '-A', daemon.root)).toContain('towline-root.json');
});

test('a paused host gets not one login; its tasks run on, wait, and go on after the resume', async () => {
  const file = join(daemon.dir, 'in');
  writeFileSync(file, 'input');
  const args = ['--input', file, MINI, '--', 'sh', '-c'];
  const running = await daemon.submit(
    ...args,
    'echo before; until [ -e /tmp/go ]; do sleep 0.1; done; echo after',
  );
  const ending = await daemon.submit(MINI, '--', 'sleep', '60');
  await reaches(running, 'running');
  await reaches(ending, 'running');
  expect((await daemon.cli('host', 'pause', 'vm')).stdout).toBe('vm paused, 2 tasks there\n');
  const before = bedLog('sshd').length;

  const queued = await daemon.submit(MINI, '--', 'echo', 'later');
  await daemon.cli('cancel', ending);
  await until(async () => (await daemon.show(running)).blocked?.reason === 'HOST_PAUSED');
  expect((await daemon.show(queued)).blocked).toMatchObject({ reason: 'HOST_PAUSED', host: 'vm' });
  expect((await daemon.show(ending)).state).toBe('cancelling');
  await onHost('vm', 'touch', `${(await daemon.show(running)).remoteDir}/tmp/go`);
  expect((await daemon.cli('host', 'show', 'vm')).stdout).toMatch(/^mode +paused for/m);
  expect((await daemon.cli('image', 'list', 'vm')).stderr).toContain('towline host resume vm');

  await daemon.kill('SIGKILL');
  await daemon.start();
  expect((await daemon.cli('host', 'list')).stdout).toMatch(/^vm +paused/m);
  expect((await daemon.cli('host', 'pause', 'vm')).code).toBe(0);
  expect(bedLog('sshd').slice(before)).not.toContain('Accepted publickey');

  expect((await daemon.cli('host', 'resume', 'vm')).stdout).toMatch(/^vm open/);
  expect((await daemon.cli('wait', running, queued)).code).toBe(0);
  expect((await daemon.cli('logs', running)).stdout).toBe('before\nafter\n');
  await reaches(ending, 'cancelled');
  const events = (await daemon.cli('events')).stdout;
  expect(events.match(/host vm -> \w+/g)).toEqual(['host vm -> paused', 'host vm -> open']);
});

test('a draining host ends what it has and gets nothing new', async () => {
  const there = await daemon.submit(
    MINI,
    '--',
    'sh',
    '-c',
    'until [ -e /tmp/go ]; do sleep 0.1; done',
  );
  await reaches(there, 'running');
  await daemon.cli('host', 'drain', 'vm');
  const next = await daemon.submit(MINI, '--', 'true');
  await onHost('vm', 'touch', `${(await daemon.show(there)).remoteDir}/tmp/go`);
  expect((await daemon.cli('wait', there)).code).toBe(0);
  expect(await daemon.show(next)).toMatchObject({
    state: 'queued',
    blocked: { reason: 'HOST_DRAINING' },
  });
  await daemon.cli('host', 'resume', 'vm');
  expect((await daemon.cli('wait', next)).code).toBe(0);
});

test('forget is refused while tasks are there, tells first, then leaves nothing but what is not ours', async () => {
  const { root } = daemon;
  const there = await daemon.submit(MINI, '--', 'sleep', '60');
  await reaches(there, 'running');
  const refused = await daemon.cli('host', 'forget', 'vm', '--yes');
  expect(refused).toMatchObject({ code: 13 });
  expect(refused.stderr).toContain(there);
  await daemon.cli('cancel', there, '--wait');
  const kept = await daemon.submit('--keep', MINI, '--', 'true');
  await daemon.cli('wait', kept);
  await onHost('vm', 'su', 'alice', '-c', `echo mine >${root}/notes.txt`);

  const look = (await daemon.cli('host', 'forget', 'vm')).stdout;
  expect(look).toMatch(/attempts, 1 images, 1 staged inputs, .* would be removed/);
  expect(look).toContain('left: notes.txt is not of Towline');
  expect((await daemon.show(kept)).cleanup.state).toBe('kept');
  const done = await daemon.cli('host', 'forget', 'vm', '--yes');
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect(
    (await onHost('vm', 'find', root, '-mindepth', '1')).trim().split('\n').toSorted(),
  ).toEqual([`${root}/notes.txt`, `${root}/towline-root.json`]);
  expect((await daemon.show(kept)).cleanup.state).toBe('done');
  expect((await daemon.cli('host', 'list')).stdout).toMatch(/^vm +paused/m);

  await onHost('vm', 'rm', `${root}/notes.txt`);
  await daemon.cli('host', 'drain', 'vm');
  expect((await daemon.cli('host', 'forget', 'vm', '--yes')).stdout).toContain('the root is gone');
  expect(await onHost('vm', 'sh', '-c', `[ -e ${root} ] || echo gone`)).toBe('gone\n');
  await daemon.cli('host', 'resume', 'vm');
  expect((await daemon.cli('host', 'setup', 'vm')).code).toBe(0);
  expect(await onHost('vm', 'ls', '-A', root)).toContain('towline-root.json');
});
