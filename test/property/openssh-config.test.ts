/**
 * Goal: what we take from an OpenSSH configuration is what ssh would use. Method: random files, and
 * `ssh -G` as the oracle.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOpensshFiles } from '../../src/config/openssh/files.ts';
import { opensshValues } from '../../src/config/openssh/values.ts';
import { PATIENCE } from '../support/patience.ts';

const run = promisify(execFile);
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'towline-ssh-config-'));
});
afterAll(() => rm(directory, { recursive: true }));

const alias = fc.constantFrom('web', 'web1', 'db', 'db.example.org');
const pattern = fc.constantFrom('*', 'web', 'web*', 'w?b', '!web1', 'db', '*.example.org', '!db*');
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
const user = fc.constantFrom('alice', 'bob');
const block = fc.oneof(
  patterns.map((all) => `Host ${all.join(' ')}`),
  patterns.map((all) => `host=${all.join('\t')} # all of them`),
  patterns.map((all) => `Match host ${all.join(',')}`),
  patterns.map((all) => `Match originalhost "${all.join(',')}"`),
  user.map((name) => `Match user ${name}`),
  user.map((name) => `Match !user ${name} host web*`),
  fc.constantFrom('Match all', 'Match final all', 'Match final host 10.*', 'Match canonical all'),
);
const value = fc.oneof(
  fc.constantFrom('HostName 10.0.0.1', 'HostName %h.lan', 'hostname = "web.lan"'),
  user.map((name) => `User ${name}`),
  fc.constantFrom('Port 2222', 'port=22', 'Port 77 # odd'),
  fc.constantFrom('IdentityFile /k/a', 'IdentityFile "/k/%h %r"', 'IdentityFile ~/.ssh/%n_%p'),
  fc.constantFrom(
    'UserKnownHostsFile /kh/a /kh/b',
    'UserKnownHostsFile "/kh/%k"',
    'UserKnownHostsFile none',
  ),
  fc.constantFrom('ProxyJump bastion', 'ProxyJump alice@bastion:2222,%h.gate', 'ProxyJump none'),
  fc.constantFrom('HostKeyAlias one', 'HostKeyAlias two'),
  fc.constantFrom('IdentityAgent /agent', 'IdentityAgent none', 'GlobalKnownHostsFile /kh/all'),
  fc.constantFrom('Compression yes', 'ForwardAgent no', '', '  # words', 'ServerAliveInterval 5'),
);
const body = fc.array(value, { maxLength: 4 }).map((lines) => lines.map((text) => `  ${text}`));
const config = fc
  .tuple(body, fc.array(fc.tuple(block, body), { maxLength: 5 }))
  .map(([top, blocks]) =>
    [...top, ...blocks.flatMap(([head, lines]) => [head, ...lines])].join('\n'),
  );

it('takes the values that ssh -G gives', { timeout: 60_000 * PATIENCE }, async () => {
  const file = join(directory, 'config');
  const home = homedir();
  await fc.assert(
    fc.asyncProperty(config, alias, fc.option(user), async (written, name, login) => {
      await writeFile(file, written, { mode: 0o600 });
      const given = login === null ? undefined : login;
      const { found, notes } = opensshValues(
        openOpensshFiles(home),
        { paths: [file], alias: name, user: given },
        { env: process.env, home },
      );
      const facts = await oracle([...(given === undefined ? [] : ['-l', given]), '-F', file, name]);
      expect(notes).toEqual([]);
      const one = (keyword: string): string | undefined => facts.get(keyword)?.[0];
      const ours = (key: string): unknown => found[key]?.value;
      const text = (key: string): string | undefined => found[key]?.value?.toString();
      expect(ours('hostname') ?? name).toBe(one('hostname'));
      expect(text('port') ?? '22').toBe(one('port'));
      expect(given ?? ours('user') ?? one('user')).toBe(one('user'));
      expect(ours('host_key_alias')).toBe(one('hostkeyalias'));
      const agent = one('identityagent');
      expect(ours('identity_agent')).toBe(agent === 'none' ? undefined : agent);
      const jump = (ours('jump') as string[] | undefined)?.join(',') ?? '';
      expect(jump).toBe(expandedBySsh(one('proxyjump') ?? '', text('hostname') ?? name));
      checkFiles(ours('identity_file'), facts.get('identityfile'), home);
      checkFiles(knownHosts(found), knownHostsOf(facts), home);
    }),
    { numRuns: 200 },
  );
});

/** ssh -G shows some values before it expands them. */
function expandedBySsh(text: string, host: string): string {
  return text.replaceAll('%h', host);
}

function knownHosts(found: Readonly<Record<string, { value: unknown }>>): unknown {
  return found['known_hosts']?.value;
}

function knownHostsOf(facts: Map<string, string[]>): string[] {
  const words = ['userknownhostsfile', 'globalknownhostsfile'].flatMap((keyword) =>
    (facts.get(keyword)?.[0] ?? '').split(' '),
  );
  return words.filter((word) => word !== 'none' && !word.endsWith('known_hosts2'));
}

function checkFiles(ours: unknown, theirs: string[] | undefined, home: string): void {
  if (ours === undefined) return;
  const blank = (path: string): string => path.replace(/^~/, home).replaceAll(/%[a-z]/g, '?');
  const seen = (theirs ?? []).map(blank);
  expect((ours as string[]).length).toBe(seen.length);
  for (const [index, path] of (ours as string[]).entries()) {
    const wanted = seen[index] ?? '';
    if (!wanted.includes('?')) expect(path).toBe(wanted);
  }
}

async function oracle(args: string[]): Promise<Map<string, string[]>> {
  const { stdout } = await run('ssh', ['-G', ...args]);
  const facts = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [keyword = '', ...rest] = line.split(' ');
    facts.set(keyword, [...(facts.get(keyword) ?? []), rest.join(' ')]);
  }
  return facts;
}
