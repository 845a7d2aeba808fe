/** Goal: only a directory that is ours, private and local is used; what is made in it is private. */
import {
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAtHome } from '../../../src/store/home.ts';
import { lockStateDir } from '../../../src/store/lock-state-dir.ts';
import { readMachineId } from '../../../src/store/machine-id.ts';
import { networkFileSystem } from '../../../src/store/network-file-systems.ts';
import { openStore } from '../../../src/store/open.ts';
import { prepareStateDir } from '../../../src/store/state-dir.ts';
import { aChange, aTask } from '../../contract/store-tasks.ts';
import { temporaryDir } from './temporary.ts';

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const invalid = (reason: RegExp) => ({
  code: 'DAEMON_STATE_DIR_INVALID',
  message: expect.stringMatching(reason),
});

describe('the state directory', () => {
  it('is made private, and so is all in it, whatever the umask', async () => {
    const dir = join(await temporaryDir(), 'deep', 'state');
    const lock = await lockStateDir(dir);
    const { store } = await openStore({ stateDir: dir });
    onTestFinished(async () => {
      await store.close();
      await lock.release();
    });
    await store.insert([aChange(aTask())]);
    expect(await mode(dir)).toBe('700');
    const files = (await readdir(dir)).toSorted();
    expect(files).toEqual([
      'lock.pid',
      'lock.sqlite',
      'towline.sqlite',
      'towline.sqlite-shm',
      'towline.sqlite-wal',
    ]);
    for (const file of files) expect([file, await mode(join(dir, file))]).toEqual([file, '600']);
  });

  it('that others may enter is refused with the remedy', async () => {
    const dir = await temporaryDir();
    await chmod(dir, 0o750);
    await expect(openStore({ stateDir: dir })).rejects.toMatchObject(invalid(/chmod 700/));
  });

  it('that is a file, or cannot be made, is refused', async () => {
    const dir = await temporaryDir();
    await writeFile(join(dir, 'file'), '');
    await expect(prepareStateDir(join(dir, 'file'))).rejects.toMatchObject(invalid(/file/));
    await expect(prepareStateDir(join(dir, 'file', 'x'))).rejects.toMatchObject(invalid(/ENOTDIR/));
    await expect(prepareStateDir('/proc/towline')).rejects.toMatchObject(invalid(/proc/));
  });

  it.skipIf(process.getuid?.() !== 0)(
    'that belongs to somebody else is refused (root only)',
    async () => {
      const dir = join(await temporaryDir(), 'theirs');
      await mkdir(dir, { mode: 0o700 });
      await chown(dir, 12345, 12345);
      await expect(prepareStateDir(dir)).rejects.toMatchObject(invalid(/user 12345/));
    },
  );

  it('may be reached through a link of ours', async () => {
    const dir = await temporaryDir();
    await mkdir(join(dir, 'real'), { mode: 0o700 });
    await symlink(join(dir, 'real'), join(dir, 'link'));
    await expect(prepareStateDir(join(dir, 'link'))).resolves.toBeUndefined();
  });

  it.each([
    ['NFS', 0x6969],
    ['CIFS', 0xff534d42],
    ['CIFS', 0xff534d42 - 2 ** 32],
    ['SMB', 0xfe534d42],
    ['Lustre', 0x0bd00bd0],
    ['GPFS', 0x47504653],
    ['BeeGFS', 0x19830326],
  ])('on %s is refused and nothing is made in it', async (name, type) => {
    const dir = await temporaryDir();
    const probe = { statfs: async () => ({ type }), mounts: async () => '' };
    const refusal = { code: 'DAEMON_STATE_DIR_NETWORK', context: { type: name } };
    await expect(openStore({ stateDir: dir, probe })).rejects.toMatchObject(refusal);
    await expect(lockStateDir(dir, probe)).rejects.toMatchObject(refusal);
    expect(await readdir(dir)).toEqual([]);
  });

  it('on FUSE is judged by the mount table', async () => {
    const mounts = [
      '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
      '30 22 0:50 / /home rw - fuse.sshfs u@h:/ rw',
      '31 30 0:51 / /home/my\\040disk rw shared:1 - fuse.gocryptfs /x rw',
      '32 22 0:52 / /home2 rw - fuse.rclone r: rw',
    ].join('\n');
    const probe = { statfs: async () => ({ type: 0x65735546 }), mounts: async () => mounts };
    expect(await networkFileSystem('/home/u/state', probe)).toBe('fuse.sshfs');
    expect(await networkFileSystem('/home', probe)).toBe('fuse.sshfs');
    expect(await networkFileSystem('/home/my disk/state', probe)).toBeUndefined();
    expect(await networkFileSystem('/home2/state', probe)).toBe('fuse.rclone');
    expect(await networkFileSystem('/srv', probe)).toBeUndefined();
  });
});

describe('a state directory on the same machine', () => {
  const open = async (stateDir: string, adopt = false) => {
    const { store, cloned } = await openStore({ stateDir, machineId: 'a', adopt });
    await store.close();
    return { cloned, id: store.daemonId };
  };

  it('that is a copy is said to be cloned until it is taken over; the original is not', async () => {
    const dir = await temporaryDir();
    const [original, copy] = [join(dir, 'state'), join(dir, 'copy')];
    const first = await open(original);
    await cp(original, copy, { recursive: true, preserveTimestamps: true });
    expect(await open(copy)).toEqual({ ...first, cloned: true });
    expect(await open(original)).toEqual(first);
    expect(await open(copy, true)).toEqual(first);
    expect(await open(copy)).toEqual(first);
  });

  it('that was brought back from a backup is one, too', async () => {
    const dir = await temporaryDir();
    const [state, backup] = [join(dir, 'state'), join(dir, 'backup')];
    const first = await open(state);
    await cp(state, backup, { recursive: true });
    // Gone only afterwards, so that the file that comes back cannot get its old inode.
    await rename(state, join(dir, 'old'));
    await cp(backup, state, { recursive: true });
    await rm(join(dir, 'old'), { recursive: true });
    expect(await open(state)).toEqual({ ...first, cloned: true });
  });

  it('that was moved, or is reached by a link, is the same', async () => {
    const dir = await temporaryDir();
    const first = await open(join(dir, 'state'));
    await rename(join(dir, 'state'), join(dir, 'moved'));
    expect(await open(join(dir, 'moved'))).toEqual(first);
    await symlink(join(dir, 'moved'), join(dir, 'link'));
    expect(await open(join(dir, 'link'))).toEqual(first);
  });

  it('seen at a second path while the first is there, as a snapshot is, is a copy', () => {
    const home = { path: '/a/towline.sqlite', inode: '7' };
    const there = { path: '/snapshot/towline.sqlite', inode: '7' };
    expect(isAtHome(home, there, () => true)).toBe(false);
    expect(isAtHome(home, there, () => false)).toBe(true);
    expect(isAtHome(undefined, there, () => true)).toBe(true);
  });
});

describe('a state directory of another machine', () => {
  it('is said to be cloned until this machine takes it over; its id stays', async () => {
    const dir = await temporaryDir();
    const open = async (machineId: string, adopt = false) => {
      const { store, cloned } = await openStore({ stateDir: dir, machineId, adopt });
      await store.close();
      return { cloned, id: store.daemonId };
    };
    const first = await open('a');
    expect(first.cloned).toBe(false);
    expect(await open('a')).toEqual(first);
    expect(await open('b')).toEqual({ ...first, cloned: true });
    expect(await open('b')).toEqual({ ...first, cloned: true });
    expect(await open('b', true)).toEqual(first);
    expect(await open('b')).toEqual(first);
    expect(await open('a')).toEqual({ ...first, cloned: true });
  });

  it('the id of a machine is a digest of its machine-id, from the first file that has one', async () => {
    const dir = await temporaryDir();
    const [empty, a, b] = ['empty', 'a', 'b'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(empty, 'uninitialized\n');
    await writeFile(a, `${'a'.repeat(32)}\n`);
    await writeFile(b, 'b'.repeat(32));
    expect(await readMachineId([empty, join(dir, 'none')])).toBe('unknown');
    expect(await readMachineId([empty, a, b])).toBe(await readMachineId([a]));
    expect(await readMachineId([a])).not.toBe(await readMachineId([b]));
    expect(await readMachineId([a])).not.toContain('a'.repeat(32));
  });
});
