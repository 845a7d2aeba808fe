/** Goal: the small pure parts of the protocol. Method: tables, and a round trip by fast-check. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openApiDocument } from '../../../src/protocol/openapi.ts';
import { ROUTES, routePath } from '../../../src/protocol/routes.ts';
import { splitColons } from '../../../src/protocol/text-rules.ts';

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

it('writes hostile ids and queries into a path safely', () => {
  expect(routePath('getTask', { id: '../../x y' }, { wait: 3, none: undefined })).toBe(
    '/v1/tasks/..%2F..%2Fx%20y?wait=3',
  );
  expect(routePath('listTasks', {}, { tag: ['a=b', 'c=d'] })).toBe('/v1/tasks?tag=a%3Db&tag=c%3Dd');
});

it('describes every route', () => {
  const document = openApiDocument('1');
  const { paths } = document as { paths: Record<string, Record<string, unknown>> };
  const described = Object.values(paths).flatMap((methods) => Object.keys(methods));
  expect(described).toHaveLength(Object.keys(ROUTES).length);
  const text = JSON.stringify(document);
  expect(text).toContain('"idempotency-key"'.replace('idempotency-key', 'Idempotency-Key'));
  expect(text).toContain('acceptExit');
  const { schemas } = document['components'] as { schemas: Record<string, unknown> };
  const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(named));
  expect(text).not.toContain('$defs');
});
