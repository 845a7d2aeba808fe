/**
 * Goal: a machine of a test's own does what the fault tests ask of it.
 * Method: each of its faults is looked at from outside, by root in it or by a login.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';

const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

let spare: SpareHost;

beforeAll(async () => {
  spare = await startSpareHost({ pidMax: 400, atBoot: 'mkdir -p /mnt/made-at-boot' });
});

afterAll(() => spare[Symbol.asyncDispose]());

test('a spare host keeps its disk and its names over a reboot and gets another boot id', async () => {
  const { bootId, machineId, hostname } = { ...spare.identity };
  await spare.as('alice', 'echo kept >~/file');
  expect(await spare.sh(BOOT_ID)).toBe(`${bootId}\n`);
  await spare.reboot();
  expect(await spare.sh(BOOT_ID)).not.toBe(`${bootId}\n`);
  expect(await spare.sh('cat /etc/machine-id; hostname')).toBe(`${machineId}\n${hostname}\n`);
  expect(await spare.as('alice', 'cat ~/file; ls -d /mnt/made-at-boot')).toBe(
    'kept\n/mnt/made-at-boot\n',
  );
  expect(await spare.sh('cat /run/fullproc/sys/kernel/pid_max')).toBe('400\n');
});

test('a spare host becomes another machine', async () => {
  const other = { machineId: 'a'.repeat(32), hostname: 'other', bootId: crypto.randomUUID() };
  await spare.reboot(other);
  const names = await spare.sh(`cat /etc/machine-id; hostname; ${BOOT_ID}`);
  expect(names).toBe(`${other.machineId}\nother\n${other.bootId}\n`);
});

test('a spare host has small disks', async () => {
  await spare.disk('/home/alice/disk', { size: '1m', inodes: 4, flags: ['noexec'] });
  const tries = `cd ~/disk; head -c 2m /dev/zero >big; rm big; for i in 1 2 3 4; do >$i; done
    rm 1; printf 'true\\n' >run; chmod 700 run; ./run; true`;
  const said = await spare.as('alice', `exec 2>&1; ${tries}`);
  expect(said).toContain('error writing');
  expect(said).toMatch(/4: No space left/);
  expect(said).toContain('./run: Permission denied');
  await spare.unmount('/home/alice/disk');
  expect(await spare.as('alice', 'ls ~/disk')).toBe('');
});
