/** Goal: the small pure parts of the protocol. Method: tables, and a round trip by fast-check. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nearest } from '../../../src/protocol/nearest.ts';
import { openApiDocument } from '../../../src/protocol/openapi.ts';
import { ROUTES, routePath } from '../../../src/protocol/routes.ts';
import { splitColons } from '../../../src/protocol/text-rules.ts';
import { parseDuration, parseSize } from '../../../src/protocol/units.ts';

it('splits at colons and keeps escaped ones', () => {
  expect(splitColons('a\\:b:c:d', 2)).toEqual(['a:b', 'c:d']);
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      const clean = left.replaceAll('\\', '/');
      const escaped = clean.replaceAll(':', '\\:');
      expect(splitColons(`${escaped}:${right.replaceAll('\\', '/')}`, 2)[0]).toBe(clean);
    }),
  );
});

it.each([
  ['0', 0],
  ['1k', 1024],
  ['1kB', 1000],
  ['512MiB', 512 * 1024 ** 2],
  ['1 GiB', 1024 ** 3],
  ['', undefined],
  ['-1', undefined],
  ['1X', undefined],
  ['99999999999TiB', undefined],
])('reads the size %j', (text, bytes) => expect(parseSize(text)).toBe(bytes));

it.each([
  ['90s', 90_000],
  ['1d 2h', 93_600_000],
  ['250ms', 250],
  ['01:02:03', 3_723_000],
  ['10', undefined],
  ['m', undefined],
  ['1h x', undefined],
])('reads the duration %j', (text, ms) => expect(parseDuration(text)).toBe(ms));

it('suggests only what is near', () => {
  expect(nearest('imge', ['image', 'env'])).toBe('image');
  expect(nearest('zzzz', ['image', 'env'])).toBeUndefined();
});

it('writes hostile ids and queries into a path safely', () => {
  expect(routePath('getTask', { id: '../../x y' }, { wait: 3, none: undefined })).toBe(
    '/v1/tasks/..%2F..%2Fx%20y?wait=3',
  );
  expect(routePath('listTasks', {}, { tag: ['a=b', 'c=d'] })).toBe('/v1/tasks?tag=a%3Db&tag=c%3Dd');
});

it('describes every route', () => {
  const { paths } = openApiDocument('1') as { paths: Record<string, Record<string, unknown>> };
  const described = Object.values(paths).flatMap((methods) => Object.keys(methods));
  expect(described).toHaveLength(Object.keys(ROUTES).length);
  const text = JSON.stringify(paths);
  expect(text).toContain('"idempotency-key"'.replace('idempotency-key', 'Idempotency-Key'));
  expect(text).toContain('acceptExit');
});
