/** Replies come through byte for byte, however the stream is cut and whatever it holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, FrameReader } from '../../../../src/remote/shell/frames.ts';
import { beginMark, endMark } from '../../../../src/remote/shell/wrap.ts';

const nonce = (n: number): string => `nonce${n}`.padEnd(32, '0');
const reply = (n: number, code: number, output: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(beginMark(nonce(n))),
    output,
    Buffer.from(`${endMark(nonce(n))}${code}\n`),
  ]);

/** Marks of other commands, pieces of marks, newlines, NUL: whatever might confuse. */
const confusing = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        ...[
          '\n',
          '\0',
          nonce(9),
          endMark(nonce(9)),
          beginMark(nonce(9)),
          `\n${nonce(0).slice(0, 20)}`,
          ' end 0\n',
        ].map((text) => Buffer.from(text)),
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));

describe('FrameReader', () => {
  it('gives every reply exactly, in any cutting, with noise between them', () => {
    const commands = fc.array(
      fc.record({ noise: confusing, output: confusing, code: fc.integer({ min: 0, max: 255 }) }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(commands, fc.array(fc.nat({ max: 50 }), { minLength: 1 }), (list, cuts) => {
        const reader = new FrameReader(1_000_000);
        const stream = Buffer.concat(
          list.flatMap(({ noise, output, code }, n) => [noise, reply(n, code, output)]),
        );
        for (const n of list.keys()) reader.expect(nonce(n));
        const frames: Frame[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = (cuts[turn % cuts.length] ?? 0) + 1;
          frames.push(...reader.feed(stream.subarray(at, at + length)));
          at += length;
        }
        expect(frames.map((frame) => [frame.code, frame.output?.toString('hex')])).toEqual(
          list.map(({ code, output }) => [code, output.toString('hex')]),
        );
      }),
    );
  });

  it('gives no output beyond the limit and goes on with the next reply', () => {
    const reader = new FrameReader(10);
    reader.expect(nonce(0));
    reader.expect(nonce(1));
    const frames = reader.feed(
      Buffer.concat([reply(0, 0, Buffer.alloc(11)), reply(1, 7, Buffer.alloc(10))]),
    );
    expect(frames.map((frame) => [frame.code, frame.output?.length])).toEqual([
      [0, undefined],
      [7, 10],
    ]);
  });

  it('keeps the beginning of the noise for a message', () => {
    const reader = new FrameReader(10);
    reader.expect(nonce(0));
    reader.feed(Buffer.from(`This account is closed.\n${'x'.repeat(9_999)}`));
    expect(reader.noise).toMatch(/^This account is closed\./);
    expect(reader.noise.length).toBeLessThanOrEqual(512);
  });
});
