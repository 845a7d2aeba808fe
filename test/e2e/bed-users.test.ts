/**
 * The users of vm2, one host section each, under one daemon: whatever their login shell and startup files
 * do, a task runs, or the host's one finding names the cause.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BedUser, sharedSif } from '../support/bed.ts';
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
const REFUSED: [BedUser, string][] = [
  ['noisy_user', 'the login shell prints text beginning with "nois" before SFTP starts'],
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
    expect(`${blocked?.message} ${blocked?.hint}`).toContain(cause);
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
