/**
 * Goal: the main job as a user does it. Method: the built CLI against a daemon of the test's own and
 * the bed's real host, runtime and registry.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

test('a command gives its own streams and its own exit code', async () => {
  const ran = await daemon.run('sh', '-c', 'echo out; echo err >&2; exit 42');
  expect(ran).toEqual({ code: 42, signal: null, stdout: 'out\n', stderr: 'err\n' });
});
