/** Goal: a pipe holds one chunk and neither side waits for one that is gone. Method: both ends by hand. */
import { expect, test } from 'vitest';
import { createPipe } from '../../../src/engine/pipe.ts';

test('chunks come in order, each when the last was taken, and then the end', async () => {
  const pipe = createPipe();
  const written: number[] = [];
  const writing = (async () => {
    for (const byte of [1, 2, 3]) {
      await pipe.write(Buffer.from([byte]));
      written.push(byte);
    }
    pipe.end();
  })();
  const read: number[] = [];
  for await (const [byte = 0] of pipe) {
    expect(written).toEqual(read);
    read.push(byte);
  }
  await writing;
  expect(read).toEqual([1, 2, 3]);
});

test('a writer that fails fails the reader', async () => {
  const pipe = createPipe();
  const next = pipe[Symbol.asyncIterator]().next();
  pipe.fail(new Error('cut'));
  await expect(next).rejects.toThrow('cut');
});

test('a reader that is gone lets the writer go', async () => {
  const pipe = createPipe();
  const writing = pipe.write(Buffer.from('x'));
  pipe.close();
  await expect(writing).rejects.toThrow('nobody reads');
  await expect(pipe.write(Buffer.from('y'))).rejects.toThrow('nobody reads');
});
