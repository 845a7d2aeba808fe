/**
 * Goal: two daemons never act for the same tasks, and two that share an account leave each other alone. Method: a
 * second daemon on a copy of the state of the first, and one with a state of its own in the same root.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ERRORS } from '../../src/domain/error-registry.ts';
import { MINI, onHost } from '../support/bed.ts';
import { COUNTED, runtimePulls, runtimeStarts, stored } from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { submitWaiting, WAITING_OUTPUT } from '../support/faults/waiting-task.ts';
import { fetchesByBlob, freshImage } from '../support/registry.ts';
import { shareOf } from '../support/share.ts';
import { until } from '../support/until.ts';

/** A daemon with a copy of the state of another one, which does not run just now. */
function copyOf(daemon: TestDaemon): TestDaemon {
  const copy = makeDaemon({ vm: { ...COUNTED, root: daemon.root } });
  rmSync(copy.stateDir, { recursive: true, force: true });
  cpSync(daemon.stateDir, copy.stateDir, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Starts it once with --adopt-state, then as always. */
async function adopt(daemon: TestDaemon): Promise<void> {
  const child = daemon.spawnCli(['daemon', '--config', daemon.configFile, '--adopt-state']);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(
    () => said.includes('"msg":"ready"'),
    () => said,
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await ended;
  await daemon.start();
}

async function expectReadOnly(copy: TestDaemon, id: string): Promise<void> {
  expect(copy.log()).toContain('DAEMON_STATE_CLONED');
  expect((await copy.cli('list', '--quiet')).stdout).toBe(`${id}\n`);
  expect((await copy.cli('logs', id)).stdout).toBe('first\n');
  const { hosts } = JSON.parse((await copy.cli('host', 'list', '--json')).stdout) as {
    hosts: { name: string; counters: Record<string, number> }[];
  };
  expect(hosts).toMatchObject([{ name: 'vm', counters: { logins: 0, bytesSent: 0 } }]);
  for (const words of [
    ['submit', MINI, '--', 'true'],
    ['host', 'pause', 'vm'],
    ['gc', '--yes'],
  ]) {
    const refused = await copy.cli(...words);
    expect(`${words.join(' ')}: ${refused.stderr}`).toContain('DAEMON_STATE_CLONED');
    expect(refused.stderr).toContain('--adopt-state');
    expect(refused.code, words.join(' ')).toBe(ERRORS.DAEMON_STATE_CLONED.exit);
  }
}

test.concurrent.each(shareOf(['a copy on the same machine', 'from another machine'], 1))(
  'row 23: on a state that is %s nothing is done, until it is taken over',
  async (how) => {
    await using original = makeDaemon({ vm: COUNTED });
    await original.start();
    const { id, go } = await submitWaiting(original, 'vm');
    await original.kill();
    await using copy = copyOf(original);
    if (how === 'from another machine') {
      // As on a machine with another id: the file is where it says, and the machine is not.
      using db = new DatabaseSync(join(copy.stateDir, 'towline.sqlite'));
      db.exec("UPDATE meta SET machine_id = 'another', home_path = NULL, home_inode = NULL");
    }
    await original.start();
    await copy.start();
    await expectReadOnly(copy, id);
    await go();
    expect((await original.cli('wait', id)).stdout).toBe(`${id} succeeded 0\n`);
    expect(stored(copy, id)?.kind).toBe('running');
    await copy.kill();
    expect((await original.cli('logs', id)).stdout).toBe(WAITING_OUTPUT);
    expect(runtimeStarts(`${id}.1`)).toBe(1);
  },
);

test.concurrent('row 23: a state that is taken over goes on with what runs, and stays taken over', async () => {
  await using original = makeDaemon({ vm: COUNTED });
  await original.start();
  const { id, go } = await submitWaiting(original, 'vm');
  await original.kill('SIGKILL');
  await using copy = copyOf(original);
  await adopt(copy);
  expect((await copy.run('true')).code).toBe(0);
  await go();
  expect((await copy.cli('wait', id)).stdout).toBe(`${id} succeeded 0\n`);
  expect((await copy.cli('logs', id)).stdout).toBe(WAITING_OUTPUT);
  expect(runtimeStarts(`${id}.1`)).toBe(1);
});

test.concurrent('row 23: two daemons on one account share images and nothing else', async () => {
  await using one = makeDaemon({ vm: { ...COUNTED, image_cache_dir: '' } });
  await using two = makeDaemon({ vm: { ...COUNTED, image_cache_dir: '', root: one.root } });
  await Promise.all([one.start(), two.start()]);
  const { id, go } = await submitWaiting(one, 'vm');
  const kept = await one.submit('--keep', MINI, '--', 'sh', '-c', 'exit 3');
  await one.cli('wait', kept);
  const { remoteDir } = await one.show(kept);
  const images = (): Promise<string> => onHost('vm', 'sh', '-c', `ls -i ${one.root}/images/*.sif`);
  const before = await images();
  const mine = await two.submit('--keep', MINI, '--', 'sh', '-c', 'exit 4');
  await two.cli('wait', mine);
  expect(await images()).toBe(before);
  expect((await two.show(mine)).remoteDir).not.toContain(remoteDir?.split('/').at(-2) ?? '?');

  expect((await two.cli('gc', '--older-than', '0s', '--yes')).code).toBe(0);
  await until(async () => (await two.show(mine)).cleanup.state !== 'pending');
  const forgotten = await two.cli('host', 'forget', 'vm', '--yes');
  expect(`${forgotten.stdout}${forgotten.stderr}`).toContain('left: images, store and the root');
  expect(await images()).toBe(before);
  expect(await onHost('vm', 'ls', remoteDir ?? '')).toContain('exit.json');
  await go();
  expect((await one.cli('wait', id)).stdout).toBe(`${id} succeeded 0\n`);
  expect((await one.cli('logs', id)).stdout).toBe(WAITING_OUTPUT);
  expect(runtimeStarts(`${id}.1`)).toBe(1);
});

test.concurrent('twenty tasks of each of two daemons want the same three images: each blob is fetched once', async () => {
  await using one = makeDaemon({ vm: { ...COUNTED, image_cache_dir: '' } });
  await using two = makeDaemon({ vm: { ...COUNTED, image_cache_dir: '', root: one.root } });
  const images = await Promise.all([freshImage(), freshImage(), freshImage()]);
  const tasks = Array.from({ length: 20 }, (_, index) => ({
    image: images[index % images.length]?.reference,
    command: ['sh', '-c', `echo ${index}`],
  }));
  await Promise.all(
    [one, two].map(async (daemon) => {
      await daemon.start();
      const file = join(daemon.dir, 'twenty.json');
      writeFileSync(file, JSON.stringify(tasks));
      const ids = (await daemon.submit('--file', file)).split('\n');
      const waited = await daemon.cli('wait', ...ids);
      expect(waited.code, waited.stderr).toBe(0);
    }),
  );
  for (const { name } of images) {
    const fetches = [...fetchesByBlob(name).values()];
    expect(fetches.length).toBeGreaterThanOrEqual(3);
    expect(fetches.every((count) => count === 1)).toBe(true);
    expect(runtimePulls(name)).toBe(1);
  }
});
