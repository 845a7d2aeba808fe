/**
 * Goal: a known_hosts line means the same hosts to us as to OpenSSH. Method: files of random lines, and
 * ssh-keygen -F as the oracle for the numbers of the lines that are about a host.
 */

import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knownHostsName } from '../../src/remote/ssh/host-pattern.ts';
import { pinsFor } from '../../src/remote/ssh/known-hosts.ts';
import { PATIENCE } from '../support/patience.ts';
import { makeKeyPair } from '../support/ssh-keys.ts';

const run = promisify(execFile);
let directory: string;
let key: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'towline-known-hosts-'));
  ({ publicKey: key } = await makeKeyPair(join(directory, 'key')));
});
afterAll(() => rm(directory, { recursive: true }));

const host = fc.constantFrom(
  'web',
  'web1',
  'WEB',
  'db.example.org',
  'a.db.example.org',
  '10.0.0.7',
);
const port = fc.constantFrom(22, 2222, 222);
const name = fc.tuple(host, port).map(([text, number]) => knownHostsName(text, number));
const bare = fc.oneof(
  name,
  host,
  fc.constantFrom(
    '*',
    'web*',
    'w?b',
    '*.example.org',
    '[web]:*',
    '[*]:2222',
    '[web]:22',
    '10.0.0.?',
  ),
);
const pattern = fc.tuple(fc.constantFrom('', '', '!'), bare).map((parts) => parts.join(''));
const plain = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','));
const hashed = fc.oneof(name, host).map((text) => {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(text).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
});
const marker = fc.constantFrom('', '', '', '@revoked ', '@cert-authority ');
const line = fc
  .tuple(marker, fc.oneof(plain, plain, hashed))
  .map(([mark, column]) => ({ mark, column }));

it('finds the lines about a host that ssh-keygen finds', {
  timeout: 60_000 * PATIENCE,
}, async () => {
  const file = join(directory, 'known_hosts');
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 8 }),
      host,
      port,
      async (lines, h, p) => {
        const text = lines.map(({ mark, column }) => `${mark}${column} ${key}\n`).join('');
        await writeFile(file, text);
        const pins = pinsFor([{ path: file, text }], h, p);
        const ours = [...pins.pinned, ...pins.revoked, ...pins.unusable].map((found) => found.line);
        expect(pins.badRevoked).toEqual([]);
        expect(ours.toSorted((a, b) => a - b)).toEqual(await oracle(file, knownHostsName(h, p)));
      },
    ),
    { numRuns: 150 },
  );
});

async function oracle(file: string, name: string): Promise<number[]> {
  const { stdout } = await run('ssh-keygen', ['-F', name, '-f', file]).catch(
    (error: { stdout: string; code: number }) => {
      // It ends with 1 when it finds nothing.
      if (error.code !== 1) throw error;
      return error;
    },
  );
  return [...stdout.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]));
}
