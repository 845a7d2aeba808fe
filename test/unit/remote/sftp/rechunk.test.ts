/** Rechunking loses no byte and keeps to the size asked for. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rechunk } from '../../../../src/remote/sftp/rechunk.ts';

it('gives the same bytes in chunks of the size, only the last one shorter', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 30 }), async (list, size) => {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield* list;
      }
      const got: Buffer[] = [];
      for await (const chunk of rechunk(source(), () => size)) got.push(chunk);
      expect(Buffer.concat(got).equals(Buffer.concat(list))).toBe(true);
      expect(got.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
      expect(got.every((chunk) => chunk.length > 0)).toBe(true);
    }),
  );
});
