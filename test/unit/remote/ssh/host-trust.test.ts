/** What is said of offered keys, what the own file holds after a change, and which proven keys are taken. */
import { describe, expect, it } from 'vitest';
import { HOST_TUNING } from '../../../../src/remote/settings.ts';
import { algorithmsFor } from '../../../../src/remote/ssh/algorithms.ts';
import { fingerprint } from '../../../../src/remote/ssh/host-key.ts';
import { judgeOffers } from '../../../../src/remote/ssh/host-key-verdict.ts';
import { keysToAdopt } from '../../../../src/remote/ssh/key-rotation.ts';
import { pinsForName } from '../../../../src/remote/ssh/known-hosts.ts';
import { pinName } from '../../../../src/remote/ssh/read-pins.ts';
import {
  type PinChange,
  type PublicKey,
  rewritePins,
} from '../../../../src/remote/ssh/trust-file.ts';

function key(seed: number, type = 'ssh-ed25519'): PublicKey & { line: string } {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  const blob = Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, seed)]);
  return { type, blob, line: `node ${type} ${blob.toString('base64')}` };
}

const A = key(1);
const B = key(2);
const R = key(3, 'ssh-rsa');
const pins = (ours: string[], theirs: string[] = []) =>
  pinsForName(
    [
      { path: '/own', text: ours.join('\n') },
      { path: '/theirs', text: theirs.join('\n') },
    ],
    'node',
  );

describe('the verdict', () => {
  const verdicts = (known: ReturnType<typeof pins>, ...offers: PublicKey[]): string[] =>
    judgeOffers(known, offers).map((offer) => `${offer.verdict} ${offer.places.join(' ')}`.trim());

  it.each([
    ['nothing is known', pins([]), ['unknown', 'unknown']],
    ['the same key', pins([A.line]), ['trusted /own:1', 'unknown']],
    [
      'the same key in two files',
      pins([A.line], ['# x', A.line]),
      ['trusted /own:1 /theirs:2', 'unknown'],
    ],
    ['another key of its type', pins([], [B.line]), ['different /theirs:1', 'different /theirs:1']],
    [
      'another key of one type, the other type is right',
      pins([B.line, R.line]),
      ['different /own:1', 'trusted /own:2'],
    ],
    [
      'revoked, though pinned',
      pins([A.line], [`@revoked ${A.line}`]),
      ['revoked /theirs:1', 'unknown'],
    ],
    [
      'a revocation that cannot be read',
      pins([A.line], ['@revoked * x']),
      ['revoked /theirs:1', 'revoked /theirs:1'],
    ],
    [
      'a certificate authority says nothing',
      pins([], [`@cert-authority ${A.line}`]),
      ['unknown', 'unknown'],
    ],
  ])('%s', (_, known, expected) => {
    expect(verdicts(known, A, R)).toEqual(expected);
  });
});

describe('the own file', () => {
  const change = (text: string, add: PublicKey[], keep: PinChange['keep'] = () => true): string =>
    rewritePins(text, { name: 'node', add, keep, comment: 'c' });

  it('gets new keys once, at its end', () => {
    expect(change('', [A, A])).toBe(`${A.line} c\n`);
    expect(change(`other ssh-rsa AAAA\n${A.line} before`, [A, B])).toBe(
      `other ssh-rsa AAAA\n${A.line} before\n${B.line} c\n`,
    );
  });

  it('loses only keys of this host that do not stay', () => {
    const text = `# words\n${A.line}\n[node]:2 ${A.line.slice(5)}\n${R.line}\n`;
    const kept = change(text, [B], ({ blob }) => !blob.equals(A.blob));
    expect(kept).toBe(`# words\n[node]:2 ${A.line.slice(5)}\n${R.line}\n${B.line} c\n`);
    expect(change(`${A.line}\n`, [], () => false)).toBe('');
  });

  it('is written so that it is read back as a pin', () => {
    const text = change('', [A, R]);
    expect(pinsForName([{ path: '/own', text }], 'node').pinned.map((pin) => pin.type)).toEqual([
      'ssh-ed25519',
      'ssh-rsa',
    ]);
  });
});

describe('proven keys', () => {
  const adopted = (known: ReturnType<typeof pins>, ...proven: PublicKey[]): string[] =>
    keysToAdopt(known, '/own', proven).map(({ blob }) => fingerprint(blob));

  it('are taken beside a key of ours that was proven with them', () => {
    expect(adopted(pins([A.line]), A, R)).toEqual([fingerprint(R.blob)]);
  });

  it.each([
    ['the host is pinned only in files of the user', pins([], [A.line])],
    ['our key is not among them', pins([B.line])],
    ['the new key is revoked', pins([A.line], [`@revoked ${R.line}`])],
    ['a revocation cannot be read', pins([A.line], ['@revoked * x'])],
    ['it is known already', pins([A.line], [R.line])],
  ])('are not taken when %s', (_, known) => {
    expect(adopted(known, A, R)).toEqual([]);
  });

  it('are not taken of a type that we cannot check, nor from a list without end', () => {
    expect(adopted(pins([A.line]), A, key(4, 'ssh-dss'))).toEqual([]);
    const many = Array.from({ length: 16 }, (_, seed) => key(seed + 10));
    expect(adopted(pins([A.line]), A, ...many)).toEqual([]);
  });
});

it('an alias stands in known_hosts without a port', () => {
  const where = { name: 'n', hostname: 'Node.Lan', user: 'u', identityFiles: [], jumps: [] };
  const settings = { ...HOST_TUNING, ...where, port: 2222, knownHostsFiles: [] };
  expect(pinName(settings)).toBe('[node.lan]:2222');
  expect(pinName({ ...settings, port: 22 })).toBe('node.lan');
  expect(pinName({ ...settings, hostKeyAlias: 'Cluster' })).toBe('cluster');
});

it('only pinned types are asked for, and never a signature with SHA-1', () => {
  const asked = (lines: string[]) => algorithmsFor(pins(lines).pinned).serverHostKey;
  expect(asked([R.line])).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
  expect(asked([A.line, B.line])).toEqual(['ssh-ed25519']);
  expect(asked([])).not.toContain('ssh-rsa');
});
