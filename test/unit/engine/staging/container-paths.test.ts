/** Goal: a path of the container means the place on the host that the container sees, or is refused. */
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../../src/domain/failure.ts';
import { hostPathOf } from '../../../../src/engine/staging/container-paths.ts';

const BINDS = [
  { source: '/r/home', target: '/mnt/task/home', readonly: false },
  { source: '/r/work', target: '/mnt/task/work', readonly: false },
  { source: '/r/tmp', target: '/tmp', readonly: false },
  { source: '/r/inputs', target: '/mnt/task/inputs', readonly: true },
  { source: '/scratch/ref', target: '/mnt/task/inputs/ref/', readonly: true },
  { source: '/data/one.csv', target: '/data/one.csv', readonly: true },
];

describe('a path', () => {
  test.each([
    ['out.txt', '/r/work', 'out.txt'],
    ['.', '/r/work', ''],
    ['a/../b//c', '/r/work', 'b/c'],
    ['../inputs/x', '/r/inputs', 'x'],
    ['/mnt/task/work/', '/r/work', ''],
    ['/tmp/a b', '/r/tmp', 'a b'],
    ['/mnt/task/inputs/ref/genome.fa', '/scratch/ref', 'genome.fa'],
    ['/mnt/task/inputs/reference', '/r/inputs', 'reference'],
    ['/data/one.csv', '/data/one.csv', ''],
    ['/mnt/task/work/../home/.bashrc', '/r/home', '.bashrc'],
  ])('%s', (path, root, relative) => {
    expect(hostPathOf(BINDS, path)).toEqual({ root, relative });
  });

  test.each(['/etc/passwd', '/', '../../../etc/passwd', '/tmpfile', '/mnt/task', '../..'])(
    '%s is refused with what there is',
    (path) => {
      let refusal: AppError | undefined;
      try {
        hostPathOf(BINDS, path);
      } catch (error) {
        refusal = error as AppError;
      }
      expect(refusal?.code).toBe('REQUEST_INVALID');
      expect(refusal?.message).toContain('/mnt/task/work, /tmp');
    },
  );
});

test('whatever is asked for, the answer stays below the source of a mount', () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '',
    'a',
    'ref',
    'inputs',
    'tmp',
    'mnt',
    'task',
    'work',
    '...',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.boolean(), (parts, absolute) => {
      let found: ReturnType<typeof hostPathOf>;
      try {
        found = hostPathOf(BINDS, (absolute ? '/' : '') + parts.join('/'));
      } catch {
        return;
      }
      expect(found.relative.split('/')).not.toContain('..');
      expect(found.relative.startsWith('/')).toBe(false);
      expect(posix.join(found.root, found.relative).startsWith(found.root)).toBe(true);
    }),
  );
});

test('of two mounts at one place the last counts', () => {
  const twice = [...BINDS, { source: '/other', target: '/tmp', readonly: false }];
  expect(hostPathOf(twice, '/tmp/x').root).toBe('/other');
});
