/** Goal: what a server says before the login is read rightly in whatever pieces it comes, noise included. */
import { generateKeyPairSync } from 'node:crypto';
import ssh2, { type AuthHandlerMiddleware, type ParsedKey } from 'ssh2';
import { describe, expect, it } from 'vitest';
import {
  type AuthNotes,
  noteAuth,
  rsaBitsOf,
} from '../../../../src/remote/ssh/inspect/auth-notes.ts';
import { HelloReader } from '../../../../src/remote/ssh/inspect/hello.ts';
import { readSftpHello } from '../../../../src/remote/ssh/inspect/sftp-hello.ts';

const string = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
};

function kexInit(...lists: string[]): Buffer {
  const body = Buffer.concat([Buffer.from([0, 20]), Buffer.alloc(16, 7), ...lists.map(string)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

describe('the first words of a server', () => {
  const said = Buffer.concat([
    Buffer.from('be kind\r\nSSH-2.0-Test\r\n'),
    kexInit('curve25519-sha256,x', 'ssh-ed25519,rsa-sha2-512', 'aes'),
  ]);
  it.each([said.length, 1, 7])('are read in pieces of %d bytes', (size) => {
    const reader = new HelloReader();
    for (let at = 0; at < said.length; at += size) reader.feed(said.subarray(at, at + size));
    expect(reader).toMatchObject({ before: 'be kind\n', server: 'SSH-2.0-Test', rest: '' });
    expect(reader.hostKeyTypes).toEqual(['ssh-ed25519', 'rsa-sha2-512']);
  });
  it('of another service are kept for the message', () => {
    const reader = new HelloReader();
    reader.feed(Buffer.from('220 mail\r\nand more'));
    expect(reader).toMatchObject({ before: '220 mail\n', server: undefined, rest: 'and more' });
  });
  it('that lie about their length give no types', () => {
    const reader = new HelloReader();
    reader.feed(Buffer.from('SSH-2.0-x\n'));
    reader.feed(Buffer.from([0, 0, 0, 30, 0, 20, ...Buffer.alloc(16), 255, 255, 255, 255]));
    reader.feed(Buffer.alloc(20));
    expect(reader.hostKeyTypes).toBeUndefined();
  });
});

describe('the first packet of an SFTP server', () => {
  const body = Buffer.concat([
    Buffer.from([2, 0, 0, 0, 3]),
    ...['posix-rename@openssh.com', '1', 'limits@openssh.com', '1'].map(string),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const packet = Buffer.concat([length, body]);
  const extensions = ['posix-rename@openssh.com', 'limits@openssh.com'];
  it('gives the extensions', () => {
    expect(readSftpHello(packet)).toEqual({ noise: '', extensions });
  });
  it('is found behind noise', () => {
    const noisy = Buffer.concat([Buffer.from('hello\n'), packet]);
    expect(readSftpHello(noisy)).toEqual({ noise: 'hello\n', extensions });
  });
  it('is waited for until it is whole', () => {
    expect(readSftpHello(packet.subarray(0, -1))).toBeUndefined();
    expect(readSftpHello(Buffer.from('only noise'))).toBeUndefined();
  });
});

it.each([1024, 2048, 3072])('an RSA key of %d bits is measured', (modulusLength) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const key = ssh2.utils.parseKey(privateKey.export({ type: 'pkcs1', format: 'pem' })) as ParsedKey;
  expect(rsaBitsOf(key.getPublicSSH())).toBe(modulusLength);
});

/** Of those that ssh2 makes, one in 250 is malformed by its own reading. */
function newKey(comment: string): ParsedKey {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    const parsed = ssh2.utils.parseKey(made.private);
    if (!(parsed instanceof Error)) return parsed;
  }
}

describe('a login listened in on', () => {
  const key = newKey('me');
  const offer = { type: 'publickey', username: 'a', key } as const;
  /** Plays a server that refuses everything, and gives what was sent. */
  function play(inner: AuthHandlerMiddleware) {
    const notes: AuthNotes = { methods: [], tries: [] };
    const { authHandler } = noteAuth({ authHandler: inner }, notes);
    const sent: unknown[] = [];
    let going = true;
    for (let turn = 0; going && turn < 10; turn += 1) {
      const told = turn === 0 ? (null as never) : (['publickey'] as const);
      (authHandler as AuthHandlerMiddleware)([...(told ?? [])], false, (auth) => {
        sent.push(auth);
        going = (auth as unknown) !== false;
      });
    }
    return { notes, sent };
  }
  it('asks for the methods first, then goes as it would', () => {
    const moves = [offer, false];
    const { notes, sent } = play((_methods, _partial, next) => next(moves.shift() as never));
    expect(sent).toEqual(['none', offer, false]);
    expect(notes.methods).toEqual(['publickey']);
    expect(notes.tries).toEqual([
      expect.objectContaining({ method: 'publickey', verdict: 'refused' }),
    ]);
    expect(notes.tries[0]?.key).toMatch(/^ssh-ed25519 SHA256:\S+ \(me\)$/);
    expect(notes.tries[0]?.publicKey).toMatch(/^ssh-ed25519 AAAA\S+ me$/);
  });
  it('does not ask twice where the login asks by itself', () => {
    const moves = ['none', offer, false];
    const told: unknown[] = [];
    const { sent } = play((methods, _partial, next) => {
      told.push(methods);
      next(moves.shift() as never);
    });
    expect(sent).toEqual(['none', offer, false]);
    expect(told[1]).toEqual(['publickey']);
  });
});
