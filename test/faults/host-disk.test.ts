/**
 * Goal: a disk without room is called that, the exit record is kept, and work goes on when there is room;
 * mount options and file masks of a site change nothing.
 * Method: the remote root of a spare host is on small file systems and on one without exec; startup files
 * of the login set masks.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { shareOf } from '../support/share.ts';
import { until } from '../support/until.ts';

const DISK = '/home/alice/disk';

let spare: SpareHost;

beforeAll(async () => {
  spare = await startSpareHost();
});

afterEach(async () => {
  await spare.sh(
    `umount -l ${DISK} 2>/dev/null; rm -f /home/alice/.bashrc; rm -f /usr/local/bin/cat /usr/local/bin/head`,
  );
});

afterAll(() => spare[Symbol.asyncDispose]());

function daemonOn(root: string): TestDaemon {
  return makeDaemon({ hosts: { far: { on: spare.name, keys: { ...spare.keys, root } } } });
}

async function outcome(daemon: TestDaemon, ...command: string[]) {
  const id = await daemon.submit('--host', 'far', spare.image, '--', ...command);
  await daemon.cli('wait', id);
  return daemon.show(id);
}

/** Submits a task that has to wait for room. */
async function waiting(daemon: TestDaemon): Promise<string> {
  const id = await daemon.submit('--host', 'far', spare.image, '--', 'true');
  await until(async () => (await daemon.show(id)).blocked?.reason === 'HOST_NO_SPACE');
  return id;
}

test('row 17: output that fills the disk is no space, with the exit record; then there is room again', async () => {
  await spare.disk(DISK, { size: '2m' });
  await using daemon = daemonOn(`${DISK}/towline`);
  await daemon.start();
  const full = await outcome(daemon, 'cat', '/dev/zero');
  expect(full).toMatchObject({ state: 'error', failure: { code: 'HOST_NO_SPACE' } });
  expect(full.failure?.message).toContain('stdout');
  expect(full.streams.stdout.bytes).toBeGreaterThan(0);
  expect(full.streams.stdout.complete).toBe(true);
  expect(await spare.sh(`cat ${full.remoteDir}/exit.json`)).toContain('"copierCode":28');
  const next = await waiting(daemon);
  await spare.sh(`rm ${full.remoteDir}/stdout`);
  expect((await daemon.cli('wait', next)).stdout).toBe(`${next} succeeded 0\n`);
});

test('row 18: no inode left is no space; a task runs when there are some', async () => {
  await spare.disk(DISK, { inodes: 60 });
  await using daemon = daemonOn(`${DISK}/towline`);
  await daemon.start();
  expect((await outcome(daemon, 'true')).state).toBe('succeeded');
  await spare.as(
    'alice',
    `cd ${DISK}; i=0; while : >full.$i; do i=$((i + 1)); done 2>/dev/null; true`,
  );
  const next = await waiting(daemon);
  await spare.as('alice', `rm ${DISK}/full.*`);
  expect((await daemon.cli('wait', next)).stdout).toBe(`${next} succeeded 0\n`);
});

test("row 18: a quota that is used up is called that (fake: cat and head say the kernel's words)", async () => {
  const fake = `#!/bin/sh
# a copier: the first bytes find no room
[ $# -gt 0 ] || { dd bs=1 count=1 of=/dev/null 2>/dev/null; echo 'cat: write error: Disk quota exceeded' >&2; exit 1; }
case "$*" in '-c 65536 /dev/zero') echo 'head: write error: Disk quota exceeded' >&2; exit 1 ;; esac
exec "/usr/bin/\${0##*/}" "$@"`;
  await spare.sh(
    'for tool in cat head; do printf "%s\\n" "$1" >/usr/local/bin/$tool; chmod 755 /usr/local/bin/$tool; done',
    fake,
  );
  await using daemon = daemonOn('/home/alice/quota/towline');
  await daemon.start();
  const task = await outcome(daemon, 'echo', 'hello');
  expect(task.failure).toMatchObject({ code: 'HOST_NO_SPACE' });
  expect(task.failure?.message).toContain('quota');
});

describe('row 27: a task runs', () => {
  test('with its root on a disk without exec', async () => {
    await spare.disk(DISK, { size: '8m', flags: ['noexec'] });
    await using daemon = daemonOn(`${DISK}/towline`);
    await daemon.start();
    expect((await outcome(daemon, 'true')).state).toBe('succeeded');
  });

  test('with a read-only home and /tmp without exec, and its root elsewhere', async () => {
    await spare.disk('/srv/work', { size: '8m' });
    await spare.sh('mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp');
    await spare.sh('mount --bind /home/alice /home/alice && mount -o remount,bind,ro /home/alice');
    try {
      await using daemon = daemonOn('/srv/work/towline');
      await daemon.start();
      expect(await outcome(daemon, 'true')).toMatchObject({ state: 'succeeded' });
    } finally {
      await spare.sh('umount /home/alice; umount -l /tmp; umount -l /srv/work');
    }
  });

  test.each(shareOf(['umask 000', 'umask 077', 'unset TMPDIR; export LANG=C LC_ALL=C'], 1))(
    'after "%s" in the startup file, and nobody else gets in',
    async (line) => {
      await spare.as('alice', `echo '${line}' >~/.bashrc`);
      const root = `/home/alice/masks/${line.length}`;
      await using daemon = daemonOn(root);
      await daemon.start();
      expect(await outcome(daemon, 'sh', '-c', 'echo x >file')).toMatchObject({
        state: 'succeeded',
      });
      // what is below cannot be reached by others, whatever its own mode
      expect(await spare.sh(`stat -c %a ${root}`)).toBe('700\n');
    },
  );
});
