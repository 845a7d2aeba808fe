/** Goal: a task's paths mean what they mean on its host, and no value of a host is ever read as anything else. Method: hostile values. */
import { expect, test } from 'vitest';
import { needsOf, placesOf } from '../../../src/engine/places.ts';
import { aSpec } from '../../support/builders.ts';

const VALUES = { HOME: '/home/a,"b" $USER', USER: '$(id)', SCRATCH: undefined };
const bind = (source: string) => ({ source, target: '/d', readonly: true });

test('variables are what the host says, once, and nothing in them is expanded', () => {
  const spec = aSpec({
    binds: [bind('$HOME/x'), bind('~/y'), bind('/data/${USER}/$USERS'), bind('/it$HOMEs')],
    tmpDir: '/local/$USER',
  });
  const { binds, tmpDir } = placesOf(spec, VALUES);
  expect(binds.map(({ source }) => source)).toEqual([
    '/home/a,"b" $USER/x',
    '/home/a,"b" $USER/y',
    '/data/$(id)/$USERS',
    '/it$HOMEs',
  ]);
  expect(tmpDir).toBe('/local/$(id)');
});

test('a variable that the host does not set is refused', () => {
  expect(() => placesOf(aSpec({ tmpDir: '$SCRATCH/x' }), VALUES)).toThrow(
    expect.objectContaining({ code: 'HOST_VARIABLE_UNSET', context: { variable: 'SCRATCH' } }),
  );
});

test.each([
  [{}, 0, 0, { kind: 'none' }],
  [{}, undefined, 5, { kind: 'made', bytes: 5 }],
  [{}, 0, 5, { kind: 'none' }],
  [{}, 7, 5, { kind: 'made', bytes: 7 }],
  [{ overlay: { kind: 'none' as const } }, 7, 5, { kind: 'none' }],
])('overlay of %j, host %s, defaults %s', (spec, host, defaults, overlay) => {
  const otherwise = { policy: { overlayBytes: host }, defaults: { overlayBytes: defaults } };
  expect(placesOf(aSpec(spec), VALUES, otherwise).overlay).toEqual(overlay);
});

test('binds, overlay and tmp_dir must be there', () => {
  const overlay = { kind: 'own' as const, path: '/o.img', readonly: false };
  const needs = needsOf({ binds: [bind('/a')], overlay, tmpDir: '/t' });
  expect(needs.map(({ code, path }) => [code, path])).toEqual([
    ['BIND_SOURCE_MISSING', '/a'],
    ['OVERLAY_NOT_FOUND', '/o.img'],
    ['TMP_DIR_UNUSABLE', '/t'],
  ]);
});
