/** Goal: paths of a container are led to the attempt's own directories. Method: the pure functions. */
import { expect, it } from 'vitest';
import { outermost, volumeDirectories, volumeOf } from '../../../src/domain/volumes.ts';
import { placeInputs } from '../../../src/script/input-places.ts';

const VOLUMES = ['/data/in', '/tmp', '/data'];

it('of nested volumes the outermost holds the path, and only that one is mounted', () => {
  expect(volumeOf(VOLUMES, '/data/in/a')).toEqual({ index: 2, below: 'in/a' });
  expect(volumeOf(VOLUMES, '/database')).toBeUndefined();
  expect(outermost(VOLUMES)).toEqual([
    { target: '/tmp', place: 'volumes/1' },
    { target: '/data', place: 'volumes/2' },
  ]);
});

it('what the task names in a volume is there when it starts', () => {
  const directories = volumeDirectories({
    volumes: VOLUMES,
    workdir: '/data/w',
    redirect: { stdout: '/data/logs/out' },
    then: [{ image: 'i', argv: ['x'], env: {}, workdir: '/tmp/x' }],
    outputs: [
      { pattern: '/data/o/*.txt', local: '/l', overwrite: true },
      { pattern: '/data/p/q', local: '/l', overwrite: true },
      { pattern: 'work', local: '/l', overwrite: true },
    ],
  });
  expect(directories.toSorted()).toEqual(
    ['', '/in', '/logs', '/o', '/p', '/w']
      .map((below) => `volumes/2${below}`)
      .concat(['volumes/1', 'volumes/1/x'])
      .toSorted(),
  );
});

it('in a volume a small input is a copy, and a large one is shown read-only over its link', () => {
  const file = (target: string, bytes: number) =>
    ({ kind: 'object', sha256: 'a', mode: 0o444, target, bytes }) as const;
  expect(placeInputs([file('/data/s', 1), file('/data/l', 2e6)], ['/data'])).toEqual({
    places: [
      { kind: 'object', place: 'volumes/0/l', sha256: 'a', mode: 0o444 },
      { kind: 'copy', place: 'volumes/0/s', sha256: 'a', mode: 0o444 },
    ],
    mounts: [{ source: 'volumes/0/l', target: '/data/l', readonly: true }],
  });
});
