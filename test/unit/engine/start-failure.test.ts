/** Goal: why a container did not start is told by its cause and in the runtime's words. Method: texts that Apptainer 1.4.5 says. */
import { expect, test } from 'vitest';
import { startFailure } from '../../../src/engine/start-failure.ts';
import { aTask, exitOf } from '../../support/builders.ts';

const fail = (said: string | undefined) =>
  startFailure(aTask(), exitOf(undefined, { runtimeLogTail: said }), 'vm');

test.each([
  ['FATAL:   stat /bin/sh: no such file or directory', 'IMAGE_NO_SHELL'],
  ['FATAL: exec /bin/sh failed: fork/exec /bin/sh: no such file', 'IMAGE_NO_SHELL'],
  ['FATAL: while extracting: no space left on device', 'HOST_NO_SPACE'],
  ['FATAL: write: disk quota exceeded', 'HOST_NO_SPACE'],
  ['FATAL: could not open image /x.sif: image format not recognized', 'IMAGE_CORRUPT'],
  ['FATAL: container creation failed: while mounting image', 'IMAGE_CORRUPT'],
  [
    "FATAL:   while loading overlay images: failed to open overlay image ./overlay.own: while locking ext3 partition from /o.img: can't open /o.img for writing, currently in use by another process",
    'OVERLAY_IN_USE',
  ],
  [
    "FATAL:   while loading overlay images: can't open /o.img for reading, currently in use for writing by another process",
    'OVERLAY_IN_USE',
  ],
  [
    'FATAL:   while searching for mkfs.ext3: exec: not found\ntowline: the overlay could not be made',
    'OVERLAY_CREATE_FAILED',
  ],
  [
    'FATAL:   while writing: no space left on device\ntowline: the overlay could not be made',
    'HOST_NO_SPACE',
  ],
  ['FATAL: something nobody has seen', 'RUNTIME_START_FAILED'],
  ['', 'RUNTIME_START_FAILED'],
  [undefined, 'RUNTIME_START_FAILED'],
])('%j is %s', (said, code) => {
  expect(fail(said)).toMatchObject({
    code,
    context: { task: 'task1', host: 'vm', runtimeCode: 255 },
  });
});

test.each([
  ['INFO: a\nFATAL:   the cause\nmore', 'FATAL:   the cause'],
  ['\u001b[31mFATAL:   red\u001b[0m\n', 'FATAL:   red'],
  [
    'Error for command "exec": unknown flag: --x\n\nUsage:\n  many lines',
    'Error for command "exec": unknown flag: --x',
  ],
  ['only this\n\n', 'only this'],
  ['', 'the runtime ended with code 255'],
])('of %j the reason is %j', (said, reason) => {
  expect(fail(said).message).toBe(`the container of task task1 did not start on vm: ${reason}`);
});
