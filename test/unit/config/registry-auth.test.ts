/** Goal: of a file with logins only that of the registry asked is taken. Method: a file as docker login writes it. */
import { expect, test } from 'vitest';
import { loginFor } from '../../../src/config/registry-auth.ts';

const auth = (text: string): string => Buffer.from(text).toString('base64');
const FILE = JSON.stringify({
  auths: {
    'https://index.docker.io/v1/': { auth: auth('me:hub:secret') },
    'reg.example.org:5000': { auth: auth('me:other') },
    'token.example.org': { identitytoken: 'tok' },
    'empty.example.org': {},
  },
  credsStore: 'desktop',
});

test.each([
  ['docker.io', 'https://index.docker.io/v1/', { auth: auth('me:hub:secret') }, 'hub:secret'],
  ['reg.example.org:5000', 'reg.example.org:5000', { auth: auth('me:other') }, 'other'],
  ['token.example.org', 'token.example.org', { identitytoken: 'tok' }, 'tok'],
])('%s', (registry, name, entry, secret) => {
  const login = loginFor(FILE, registry);
  if (login === undefined || !('json' in login)) throw new Error('no login');
  expect(JSON.parse(login.json)).toEqual({ auths: { [name]: entry } });
  expect(login.secrets).toContain(secret);
});

test('a registry that is not in it, or with another port, has no login', () => {
  expect(loginFor(FILE, 'reg.example.org')).toBeUndefined();
  expect(loginFor(FILE, 'quay.io')).toBeUndefined();
});

test.each(['', 'hunter2', '[]', '{"auths":"hunter2"}', '{"auths":{"r":{"auth":7}}}'])(
  'what is no such file is told without its words: %j',
  (text) => {
    const login = loginFor(text, 'r');
    expect(login).toMatchObject({ trouble: expect.stringContaining('is no Docker config.json') });
    expect(JSON.stringify(login)).not.toContain('hunter2');
  },
);
