/**
 * The users of vm2, one host section each, under one daemon: whatever their login shell and startup files
 * do, a task runs, or the host's one finding names the cause.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BedUser, PORTS, sharedSif } from '../support/bed.ts';
import { makeDaemon, type TaskJson, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const WORKING: BedUser[] = [
  'bob',
  'csh_user',
  'tcsh_user',
  'fish_user',
  'zsh_user',
  'slow_user',
  'banner_user',
];
/** Words of the finding: what happened, and the file where bash's users have it. */
const REFUSED: [BedUser, string][] = [
  ['noisy_user', 'prints text beginning with "nois" before SFTP starts'],
  ['exec_user', 'runs zsh in the place of /bin/sh'],
  ['exit_user', 'the shell on the host ended before it answered'],
  ['forced_user', 'a forced command'],
  ['sftp_user', 'it said: This service allows sftp connections only.'],
  ['nologin_user', 'it said: This account is currently not available.'],
];

let daemon: TestDaemon;
let image: string;

beforeAll(async () => {
  const hosts = [...WORKING, ...REFUSED.map(([user]) => user)].map(
    (user) => [user, { on: 'vm2', user }] as const,
  );
  daemon = makeDaemon({ hosts: Object.fromEntries(hosts) });
  [image] = await Promise.all([sharedSif('vm2'), daemon.start()]);
});

afterAll(() => daemon[Symbol.asyncDispose]());

describe('a task runs for', () => {
  it.concurrent.each(WORKING)('%s', async (user) => {
    const ran = await daemon.cli('run', '--host', user, image, '--', 'echo', user);
    expect(ran).toEqual({ code: 0, signal: null, stdout: `${user}\n`, stderr: '' });
  });
});

describe('the cause is named for', () => {
  it.concurrent.each(REFUSED)('%s', async (user, cause) => {
    const { blocked } = await blockedTask(user);
    expect(blocked?.reason).toBe('HOST_SHELL_UNUSABLE');
    expect(blocked?.message).toContain(cause);
    expect(blocked?.message).toContain('~/.bashrc');
    expect(blocked?.hint).toContain(`ssh -p ${PORTS.vm2} ${user}@127.0.0.1 /bin/sh`);
  });
});

async function blockedTask(user: BedUser): Promise<TaskJson> {
  const id = await daemon.submit('--host', user, image, '--', 'true');
  let task = await daemon.show(id);
  await until(async () => {
    task = await daemon.show(id);
    return task.blocked !== undefined || task.ended;
  });
  await daemon.cli('cancel', id);
  return task;
}
