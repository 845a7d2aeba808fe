/** Goal: an overlay is understood in each way it can be written, and refused by its field. Method: whole tasks through parseSpec. */
import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/protocol/parse-spec.ts';

const GIB = 1024 ** 3;
const overlayOf = (fields: object) =>
  parseSpec({ image: 'a', command: ['true'], ...fields }).overlay;

test.each([
  [{}, undefined],
  [{ overlay: true }, { kind: 'made', bytes: GIB }],
  [{ overlay: false }, { kind: 'none' }],
  [{ overlaySize: '2GiB' }, { kind: 'made', bytes: 2 * GIB }],
  [
    { overlay: true, overlaySize: 67_108_864 },
    { kind: 'made', bytes: 67_108_864 },
  ],
  [{ overlay: '/data/o.img' }, { kind: 'own', path: '/data/o.img', readonly: false }],
  [{ overlay: '/data/o.img:ro' }, { kind: 'own', path: '/data/o.img', readonly: true }],
  [{ overlay: '$SCRATCH/a\\:b:ro' }, { kind: 'own', path: '$SCRATCH/a:b', readonly: true }],
])('%j', (fields, overlay) => {
  expect(overlayOf(fields)).toEqual(overlay);
});

test.each([
  [{ overlaySize: '10MiB' }, 'overlaySize'],
  [{ overlaySize: 'much' }, 'overlaySize'],
  [{ overlay: '/o.img', overlaySize: '1GiB' }, 'overlaySize'],
  [{ overlay: 'o.img' }, 'overlay'],
  [{ overlay: '/o.img:rx' }, 'overlay'],
  [{ overlay: '/a/../o.img' }, 'overlay'],
])('%j is refused by its field', (fields, field) => {
  expect(() => overlayOf(fields)).toThrow(new RegExp(`^${field}`));
});
