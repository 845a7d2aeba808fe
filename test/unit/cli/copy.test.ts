/**
 * Goal: a file gets its name here only when it is what the host said. Method: the real command over a real
 * socket; the engine behind it hands over other bytes than it announced.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeDaemon } from '../../support/fake-daemon.ts';

let daemon: FakeDaemon;
let asked: number;

beforeEach(async () => {
  daemon = new FakeDaemon();
  asked = 0;
  const files = [{ path: '/mnt/task/work/x', to: 'x', size: 3 }];
  const matched = { single: true, files, directories: [], passedOver: [] };
  Object.assign(daemon.service, { matchFiles: async () => matched, fileContent });
  await daemon.start();
});
afterEach(() => daemon.end());

async function fileContent() {
  asked += 1;
  const bytes = (async function* () {
    yield Buffer.from('two');
  })();
  return { size: 3, mode: 0o644, sha256: 'a'.repeat(64), bytes };
}

it('COPY_CHANGED: a file that changes under the copy is tried again, then left out', async () => {
  const ran = await daemon.cli(['cp', 'some:x', 'here']);
  expect(ran.stderr.toString()).toContain('COPY_CHANGED');
  expect(ran.stderr.toString()).toContain('hint: copy it again');
  expect(ran.code).toBe(3);
  expect(asked).toBe(3);
  expect(existsSync(join(daemon.directory, 'here'))).toBe(false);
  expect(readdirSync(daemon.directory).filter((name) => name.endsWith('.part'))).toEqual([]);
});
