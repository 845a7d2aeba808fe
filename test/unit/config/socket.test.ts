/** Goal: a client finds the daemon however it was started. Method: files and environments of both sides. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { socketCandidates } from '../../../src/config/socket.ts';
import { HOME, temporaryDirectory, writeText } from './support.ts';

function given(text: string, env: Record<string, string> = {}) {
  const file = writeText(join(temporaryDirectory(), 'a.ini'), text);
  return { files: [file], env, home: HOME, user: 'alice' };
}

it('the first candidate is the socket of a daemon in the same surroundings', () => {
  for (const env of [{}, { XDG_RUNTIME_DIR: '/run/user/1' }, { RUNTIME_DIRECTORY: '/run/x' }]) {
    for (const text of ['', '[daemon]\nstate_dir = ~/s', '[daemon]\nsocket = "/run/it"']) {
      const options = given(text, env);
      expect(socketCandidates(options)[0]).toBe(loadConfig(options).daemon.socket);
    }
  }
});

it('a shell also finds the socket of the system unit and that of a daemon without a session', () => {
  expect(socketCandidates(given('', { XDG_RUNTIME_DIR: '/run/user/1' }))).toEqual([
    '/run/user/1/towline/towline.sock',
    '/run/towline/alice/towline.sock',
    `${HOME}/.local/state/towline/towline.sock`,
  ]);
});

it('a socket that is set is the only one', () => {
  expect(socketCandidates(given('[daemon]\nsocket = /run/it'))).toEqual(['/run/it']);
});

it('of two files that set it the later one wins', () => {
  const directory = temporaryDirectory();
  const files = ['a', 'b'].map((name) =>
    writeText(join(directory, name), `[daemon]\nsocket = /run/${name}`),
  );
  expect(socketCandidates({ files, env: {}, home: HOME, user: 'alice' })).toEqual(['/run/b']);
});

it('a file with mistakes, or none, does not keep a client from asking', () => {
  expect(socketCandidates(given('nonsense\n[host.x]\nprot = 1\n[daemon]\nsocket = ~/it'))).toEqual([
    `${HOME}/it`,
  ]);
  expect(
    socketCandidates({ files: ['/nonexistent'], env: {}, home: HOME, user: 'alice' }),
  ).toHaveLength(2);
});
