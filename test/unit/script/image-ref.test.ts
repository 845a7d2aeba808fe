/** Goal: references mean one thing, or are refused early. Method: tables. */
import { expect, test } from 'vitest';
import { imageKey, parseImage } from '../../../src/script/image-ref.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

test.each([
  ['ubuntu', 'docker://ubuntu:latest'],
  ['ubuntu:24.04', 'docker://ubuntu:24.04'],
  ['docker://ubuntu', 'docker://ubuntu:latest'],
  ['registry:5000/mini:1', 'docker://registry:5000/mini:1'],
  ['registry:5000/mini', 'docker://registry:5000/mini:latest'],
  [`ghcr.io/a/b@${DIGEST}`, `docker://ghcr.io/a/b@${DIGEST}`],
  [`ghcr.io/a/b:1.10.0-gpu@${DIGEST}`, `docker://ghcr.io/a/b:1.10.0-gpu@${DIGEST}`],
  ['oras://ghcr.io/a/b:1', 'oras://ghcr.io/a/b:1'],
  ['library://lolcow', 'library://lolcow:latest'],
  ['/data/My Image.sif', 'file:///data/My Image.sif'],
  ['file:///data/x.sif', 'file:///data/x.sif'],
])('%s is %s', (text, reference) => {
  expect(parseImage(text).reference).toBe(reference);
});

test.each([
  ['', 'empty'],
  ['shub://a/b', 'scheme'],
  ['docker-daemon://a', 'scheme'],
  ['://a', 'scheme'],
  ['docker://', 'no name'],
  ['-v', 'begins with'],
  ['a b', 'a name has'],
  ['a\nb', 'control'],
  ['x.sif', 'absolute'],
  ['./x.sif', 'absolute'],
  ['file://x.sif', 'absolute'],
  ['/data/x.img', '.sif'],
  ['/data/../x.sif', '".."'],
  ['docker://a/../../etc', '".."'],
  ['a//b', 'empty'],
  ['a:b:c', 'malformed'],
  ['a@sha256:12', 'malformed'],
  ['$(id)', 'a name has'],
  ['*', 'a name has'],
  ['a'.repeat(600), 'too long'],
])('%j is refused: %s', (text, why) => {
  expect(() => parseImage(text)).toThrow(
    expect.objectContaining({
      code: 'IMAGE_REFERENCE_INVALID',
      message: expect.stringContaining(why),
    }),
  );
});

test('keys of different references differ, however alike they read', () => {
  const texts = [
    'a/b:c',
    'a/b/c',
    'a_b_c',
    'oras://a/b:c',
    'library://a/b:c',
    `a/b@${DIGEST}`,
    'a:5000/b',
    'a/5000/b',
  ];
  const keys = texts.map((text) => imageKey(parseImage(text)));
  expect(new Set(keys).size).toBe(texts.length);
  expect(keys[0]).toMatch(/^a_b_c-[0-9a-f]{32}$/);
  expect(imageKey(parseImage(`${'long/'.repeat(60)}x`)).length).toBeLessThanOrEqual(100);
  expect(imageKey(parseImage('ubuntu'))).toBe(imageKey(parseImage('docker://ubuntu:latest')));
});
