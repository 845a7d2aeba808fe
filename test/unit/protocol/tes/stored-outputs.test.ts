/** Goal: an output of a TES task goes to a file or to S3 and is told by the address it was asked for; other storages are refused. Method: tables. */
import { expect, test } from 'vitest';
import { outputLogs } from '../../../../src/api/tes/output-logs.ts';
import type { CollectedOutput } from '../../../../src/domain/state.ts';
import { tesTaskSchema } from '../../../../src/protocol/tes/schema.ts';
import { toSpec } from '../../../../src/protocol/tes/to-spec.ts';
import { aTask } from '../../../support/builders.ts';

const asked = (output: object) =>
  tesTaskSchema.parse({ executors: [{ image: 'i', command: ['true'] }], outputs: [output] });
const specOf = (output: object) =>
  toSpec(asked(output), {
    defaults: { outputLimitBytes: 1 } as Parameters<typeof toSpec>[1]['defaults'],
    zone: () => ({ asked: {}, warnings: [] }),
  }).spec;

test.each([
  ['s3://b/k/x.txt', { url: 's3://b0/k/x.txt' }],
  ['S3://b/dir/', { url: 's3://b0/dir' }],
  ['s3://b', { url: 's3://b0' }],
  ['s3://b/a%20b +ü', { url: 's3://b0/a%20b +ü' }],
  ['file:///a/b', { local: '/a/b' }],
  ['/a/b/', { local: '/a/b' }],
])('%j', (url, target) => {
  const { outputs } = specOf({ url: url.replace('//b', '//b0'), path: '/w/x' });
  expect(outputs).toEqual([{ pattern: '/w/x', overwrite: true, ...target }]);
});

test.each([
  ['http://h/x', 'the storage http: is not supported for outputs'],
  ['https://h/x', 'the storage https: is not supported for outputs'],
  ['gs://b0/x', 'the storage gs: is not supported for outputs'],
  ['s3://b0/../other/x', 'cannot be used: its key has . or .. as a part'],
  ['s3:///x', 'cannot be used: it is not s3://BUCKET/KEY'],
])('%j is refused', (url, why) => {
  expect(() => specOf({ url, path: '/w/x' })).toThrow(`outputs[0].url ${why}`);
});

test('a file of a wildcard is told with the address that was asked for and the rest of its name', () => {
  const output = { url: 's3://b0/all/', path: '/w/out/*.txt', path_prefix: '/w' };
  const { outputs, volumes = [] } = specOf(output);
  const collected: CollectedOutput = {
    ...{ pattern: '/w/out/*.txt', bytes: 3, sha256: '' },
    remote: `/r/tasks/d/t.1/volumes/${volumes.indexOf('/w/out')}/a.txt`,
    local: 's3://b0/all/out/a.txt',
  };
  expect(outputLogs(aTask({ outputs, volumes }, 't'), [collected], asked(output))).toEqual([
    { url: 's3://b0/all/out/a.txt', path: '/w/out/a.txt', size_bytes: '3' },
  ]);
});
