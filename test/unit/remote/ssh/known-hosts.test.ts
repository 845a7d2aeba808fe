/** known_hosts lines against names: each form of sshd(8), and what happens to lines that are broken. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint, judgeHostKey } from '../../../../src/remote/ssh/host-key.ts';
import { matchesHost } from '../../../../src/remote/ssh/host-pattern.ts';
import { pinsFor } from '../../../../src/remote/ssh/known-hosts.ts';

const key = (seed: number, type = 'ssh-ed25519'): { blob: Buffer; text: string } => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  const blob = Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, seed)]);
  return { blob, text: `${type} ${blob.toString('base64')}` };
};
const A = key(1);
const B = key(2);
const hash = (name: string): string => {
  const salt = Buffer.alloc(20, 9);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const pins = (text: string, hostname = 'node.example.org', port = 22) =>
  pinsFor([{ path: '/kh', text }], hostname, port);
const judge = (text: string, blob: Buffer, port = 22) =>
  judgeHostKey(pins(text, 'node.example.org', port), blob, { host: 'n' })?.code;

describe('the host column', () => {
  it.each([
    ['node.example.org', 'node.example.org', true],
    ['NODE.example.org', 'node.example.org', true],
    ['node.example.org', 'node.example.org.evil', false],
    ['a,node.example.org,b', 'node.example.org', true],
    ['*.example.org', 'node.example.org', true],
    ['*.example.org', 'example.org', false],
    ['node?.org', 'node1.org', true],
    ['*.example.org,!node.example.org', 'node.example.org', false],
    ['!node.example.org,*.example.org', 'node.example.org', false],
    ['!other,*', 'node', true],
    ['[node]:2222', '[node]:2222', true],
    ['node', '[node]:2222', false],
    ['*a*b*c', 'xxaxxbxxc', true],
    [hash('node'), 'node', true],
    [hash('node'), 'nodes', false],
    ['|2|abc|def', 'node', undefined],
    ['|1|broken', 'node', undefined],
  ])('%s for %s: %s', (column, name, expected) => {
    expect(matchesHost(column, name)).toBe(expected);
  });

  it('agrees with a regular expression on any pattern', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', '*', '?', '.'),
      minLength: 1,
      maxLength: 12,
    });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(word, name, (pattern, text) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesHost(pattern, text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
    );
  });
});

describe('the verdict', () => {
  it('accepts a pinned key in any of its forms', () => {
    for (const column of ['node.example.org', '*.example.org', hash('node.example.org')]) {
      expect(judge(`${column} ${A.text} comment\n`, A.blob)).toBeUndefined();
    }
    expect(judge(`[node.example.org]:2200 ${A.text}`, A.blob, 2200)).toBeUndefined();
  });

  it('knows unknown, changed and revoked apart', () => {
    expect(judge(`other ${A.text}`, A.blob)).toBe('SSH_HOST_KEY_UNKNOWN');
    expect(judge(`node.example.org ${B.text}`, A.blob)).toBe('SSH_HOST_KEY_CHANGED');
    expect(judge(`node.example.org ${A.text}\n@revoked * ${A.text}`, A.blob)).toBe(
      'SSH_HOST_KEY_REVOKED',
    );
    expect(judge(`@revoked * ${B.text}\nnode.example.org ${A.text}`, A.blob)).toBeUndefined();
    expect(judge(`node.example.org ${A.text}`, A.blob, 2200)).toBe('SSH_HOST_KEY_UNKNOWN');
  });

  it.each([
    '@revoked * ssh-ed25519 !!!',
    '@revoked',
    '@revoked |9|x|y ssh-ed25519 AAAA',
    '@revoked *',
  ])('lets nothing pass beside the unreadable revocation %s', (line) => {
    expect(judge(`node.example.org ${A.text}\n${line}\n`, A.blob)).toBe('SSH_HOST_KEY_REVOKED');
  });

  it('does not mind an unreadable revocation for another host', () => {
    expect(judge(`@revoked other x y\nnode.example.org ${A.text}`, A.blob)).toBeUndefined();
  });

  it('passes over unusable lines and names them only when nothing else matches', () => {
    const broken = [
      'node.example.org ssh-ed25519 x',
      `@cert-authority * ${A.text}`,
      'node.example.org',
    ];
    expect(judge([...broken, `node.example.org ${A.text}`].join('\n'), A.blob)).toBeUndefined();
    const found = pins(broken.join('\n'));
    expect(found.unusable.map((line) => line.line)).toEqual([1, 2, 3]);
    const words = judgeHostKey(found, A.blob, { host: 'n' })?.message;
    expect(words).toContain('certificate authority');
    expect(words).toContain(fingerprint(A.blob));
  });

  it('does not use a key whose type is not the one named, nor one nobody can check', () => {
    expect(judge(`node.example.org ssh-rsa ${A.blob.toString('base64')}`, A.blob)).toBe(
      'SSH_HOST_KEY_UNKNOWN',
    );
    const dss = key(3, 'ssh-dss');
    expect(judge(`node.example.org ${dss.text}`, dss.blob)).toBe('SSH_HOST_KEY_UNKNOWN');
  });

  it('never accepts a key that is in no line, whatever the files hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = `${before}\nnode.example.org ${B.text}\n${after}`;
        expect(judge(text, A.blob)).toBeDefined();
      }),
    );
  });

  it('reads several files and keeps file and line', () => {
    const files = [
      { path: '/one', text: '# nothing\n\n' },
      { path: '/two', text: `x ${B.text}\r\n  node.example.org ${A.text}\r\n` },
    ];
    expect(pinsFor(files, 'Node.Example.Org', 22).pinned).toMatchObject([
      { file: '/two', line: 2 },
    ]);
  });
});
