/** Goal: two tasks have one fingerprint exactly when they do the same. Method: tasks as data. */
import { expect, test } from 'vitest';
import type { StagedFile, StagedInputs } from '../../../src/domain/state.ts';
import type { TaskSpec } from '../../../src/domain/task.ts';
import { type Fingerprinted, fingerprintOf } from '../../../src/engine/fingerprint.ts';
import { aSpec } from '../../support/builders.ts';

const IMAGE = { reference: 'docker://a:1', path: '/a.sif', digest: 'sha256:d' };
const file = (target: string, sha256: string): StagedFile => ({
  ...{ kind: 'object', target, sha256, mode: 0o444, bytes: 1 },
});
const INPUTS: StagedInputs = { files: [file('a', '1'), file('b', '2')] };

const of = (spec: Partial<TaskSpec>, more: Partial<Fingerprinted> = {}) =>
  fingerprintOf({ spec: aSpec(spec), inputs: INPUTS, image: IMAGE, host: 'vm', ...more });

test.each<[string, Partial<TaskSpec>, Partial<Fingerprinted>]>([
  ['its name, tags and limits', { name: 'x', tags: { a: 'b' }, timeLimitMs: 5, retries: 3 }, {}],
  ['its host', { host: 'other' }, { host: 'other' }],
  ['the order of inputs', {}, { inputs: { files: INPUTS.files.toReversed() } }],
  ['where the image is', {}, { image: { ...IMAGE, reference: 'docker://b:1', path: '/b' } }],
])('%s changes nothing', (_, spec, more) => {
  expect(of(spec, more)).toBe(of({}));
});

test.each<[string, Partial<TaskSpec>, Partial<Fingerprinted>]>([
  ['the command', { command: { kind: 'argv', argv: ['other'] } }, {}],
  ['a variable', { env: { A: '1' } }, {}],
  ['an input', {}, { inputs: { files: [file('a', '1'), file('b', '3')] } }],
  ['the name of an input', {}, { inputs: { files: [file('a', '1'), file('c', '2')] } }],
  ['stdin', {}, { inputs: { ...INPUTS, stdin: { sha256: '9', mode: 0o444 } } }],
  ['the image', {}, { image: { ...IMAGE, digest: 'sha256:e' } }],
  ['what is shared', { share: ['x'] }, {}],
  ['what is fetched', { outputs: [{ pattern: 'x', local: '/x', overwrite: false }] }, {}],
])('%s makes another', (_, spec, more) => {
  expect(of(spec, more)).not.toBe(of({}));
});

test('with a directory of a host the host counts; of an unknown image there is none', () => {
  const binds = [{ source: '/data', target: '/data', readonly: true }];
  expect(of({ binds }, { host: 'other' })).not.toBe(of({ binds }));
  expect(of({}, { image: { reference: '/my.sif', path: '/my.sif' } })).toBeUndefined();
});
