/**
 * Goal: each failure of the door, the configuration and the state directory is said to a user by its code,
 * with a next step and the exit code of the registry. Method: the built daemon and CLI, started wrongly.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/domain/error-registry.ts';
import { finished, makeDaemon, type Ran, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

/** The failure as `--json` gives it, which has to be all that is said. */
function expectSaid(ran: Ran, code: ErrorCode, named: string): void {
  const { error } = JSON.parse(ran.stderr || ran.stdout) as {
    error: { code: string; message: string; hint: string };
  };
  expect(error.code, error.message).toBe(code);
  expect(error.message).toContain(named);
  expect(error.hint).not.toBe('');
  expect(error.hint).not.toMatch(/\{\w+\}/);
  expect(ran.code).toBe(ERRORS[code].exit);
}

const cases: [ErrorCode, string[], string][] = [
  ['USAGE', ['lisst', '--json'], 'lisst'],
  ['TASK_NOT_FOUND', ['show', 'no-such-task', '--json'], 'no-such-task'],
  ['HOST_UNKNOWN', ['host', 'show', 'nowhere', '--json'], 'nowhere'],
  [
    'STAGE_INPUT_MISSING',
    ['submit', '--json', '--input', '/no/such/file', '/x.sif', '--', 'true'],
    '/no/such',
  ],
];

test.each(cases)('%s: towline %j', async (code, words, named) => {
  expectSaid(await daemon.cli(...words), code, named);
});

test('DAEMON_NOT_RUNNING: a command without a daemon', async () => {
  const socket = join(daemon.dir, 'none.sock');
  expectSaid(await daemon.cli('list', '--socket', socket, '--json'), 'DAEMON_NOT_RUNNING', socket);
});

test('ROUTE_NOT_FOUND and REQUEST_INVALID: what a program asks wrongly over the socket', async () => {
  expect(await ask('GET', '/v9/tasks')).toMatchObject([
    404,
    { error: { code: 'ROUTE_NOT_FOUND' } },
  ]);
  expect(await ask('POST', '/v1/tasks', '{"image":')).toMatchObject([
    400,
    { error: { code: 'REQUEST_INVALID' } },
  ]);
});

test('DAEMON_ALREADY_RUNNING: a second daemon of the same state', async () => {
  const second = await finished(daemon.spawnCli(['daemon', '--config', daemon.configFile]));
  expect(second.stderr).toContain('DAEMON_ALREADY_RUNNING');
  expect(second.stderr).toContain('towline list');
  expect(second.code).toBe(13);
});

/** A state directory of its own with what `prepare` puts there, and a daemon that is to start on it. */
async function started(prepare: (dir: string) => Record<string, string>): Promise<Ran> {
  const dir = join(daemon.dir, `start-${Math.random()}`);
  mkdirSync(dir, { mode: 0o700 });
  const keys = { state_dir: join(dir, 'state'), socket: join(dir, 's.sock'), ...prepare(dir) };
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  writeFileSync(
    join(dir, 't.ini'),
    ['[daemon]', ...lines, '[host.here]', 'type = local'].join('\n'),
  );
  return finished(
    daemon.spawnCli(['daemon', '--config', join(dir, 't.ini')], { TOWLINE_SOCKET: '' }),
  );
}

const starts: [ErrorCode, string, (dir: string) => Record<string, string>][] = [
  [
    'DAEMON_SOCKET_INVALID',
    'open',
    (dir) => {
      mkdirSync(join(dir, 'open'));
      chmodSync(join(dir, 'open'), 0o777);
      return { socket: join(dir, 'open', 's.sock') };
    },
  ],
  [
    'DAEMON_STATE_DIR_INVALID',
    'state',
    (dir) => {
      writeFileSync(join(dir, 'state'), 'a file');
      return {};
    },
  ],
  [
    'STORE_SCHEMA_NEWER',
    '9999',
    (dir) => {
      const path = databaseIn(dir);
      const db = new DatabaseSync(path);
      db.exec('PRAGMA user_version = 9999');
      db.close();
      return {};
    },
  ],
  [
    'STORE_CORRUPT',
    'damaged',
    (dir) => {
      writeFileSync(databaseIn(dir), Buffer.alloc(8192, 0x5a));
      return {};
    },
  ],
];

/** A copy of the running daemon's database, alone in a state directory. */
function databaseIn(dir: string): string {
  const state = join(dir, 'state');
  mkdirSync(state, { mode: 0o700 });
  const path = join(state, 'towline.sqlite');
  copyFileSync(join(daemon.stateDir, 'towline.sqlite'), path);
  return path;
}

test.each(starts)('%s: a daemon does not start and says why (%s)', async (code, named, prepare) => {
  const ran = await started(prepare);
  expect(ran.stderr).toContain(code);
  expect(ran.stderr).toContain(named);
  expect(ran.stderr).toContain('hint: ');
  expect(ran.code).toBe(ERRORS[code].exit);
});

const configs: [ErrorCode, string, string][] = [
  ['CONFIG_SYNTAX', '[daemon]\nstate_dir\n', ':2'],
  ['CONFIG_SECTION_UNKNOWN', '[demon]\n', '[daemon]'],
  ['CONFIG_KEY_UNKNOWN', '[daemon]\nstatedir = /x\n', 'state_dir'],
  ['CONFIG_VALUE_INVALID', '[host.vm]\nhostname = x\nport = many\n', ':3'],
];

test.each(configs)('%s: config check of %j', async (code, text, named) => {
  const file = join(daemon.dir, `${code}.ini`);
  writeFileSync(file, text);
  expectSaid(await daemon.cli('config', 'check', '--config', file, '--json'), code, named);
});

test('CONFIG_FILE_UNREADABLE: a configuration file that is not there', async () => {
  const file = join(daemon.dir, 'none.ini');
  expectSaid(
    await daemon.cli('config', 'check', '--config', file, '--json'),
    'CONFIG_FILE_UNREADABLE',
    file,
  );
});

function ask(method: string, path: string, body?: string): Promise<[number, unknown]> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ socketPath: daemon.socket, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve([response.statusCode ?? 0, JSON.parse(Buffer.concat(chunks).toString())]),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
