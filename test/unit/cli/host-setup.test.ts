/** towline host setup --install: nothing is done to a host without somebody's consent. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { collect, FakeDaemon } from '../../support/fake-daemon.ts';
import { until } from '../../support/until.ts';

const CLI_ENTRY = join(import.meta.dirname, '../../support/cli-entry.ts');

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

const acts = (): unknown[] =>
  daemon.service.calls
    .filter(({ name }) => name === 'setupApptainer')
    .map(({ args }) => (args[1] as { act: string }).act);

it('without a terminal and without --yes nothing is asked of the host', async () => {
  const ran = await daemon.cli(['host', 'setup', 'vm', '--install']);
  expect(ran.code).toBe(2);
  expect(ran.stderr.toString()).toContain('--yes does it without asking');
  expect(acts()).toEqual([]);
});

it.each([
  ['n', ['print']],
  ['y', ['print', 'install', 'check']],
])('on a terminal it says what would be done and takes %s for an answer', async (key, done) => {
  daemon.service.setupNews = [
    { type: 'text', text: 'apt-get install \u001b[2Japptainer\nlast' },
    { type: 'end', code: 0 },
  ];
  const command = `${process.execPath} ${CLI_ENTRY} host setup vm --install`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: daemon.env(),
    stdio: 'pipe',
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  const result = collect(child);
  await until(() => screen.includes('Do this? [y/N]'));
  expect(screen).toContain('on vm this would be done:');
  expect(screen).toContain('apt-get install \\x1b[2Japptainer');
  child.stdin.write(`${key}\r`);
  expect((await result).code).toBe(0);
  expect(acts()).toEqual(done);
});

it('tells why it failed, after the words of the host', async () => {
  const failure = new AppError('HOST_SETUP_FAILED', 'setup of host vm: no').toRecord();
  daemon.service.setupNews = [
    { type: 'text', text: 'words' },
    { type: 'end', code: 1, failure },
  ];
  const ran = await daemon.cli(['host', 'setup', 'vm', '--install', '--yes']);
  expect(ran.code).toBe(3);
  expect(ran.stderr.toString()).toMatch(
    /^words\ntowline: HOST_SETUP_FAILED: setup of host vm: no\n/,
  );
});
