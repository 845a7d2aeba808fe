/**
 * Goal: whatever pieces the bytes come in, the frames are those that were sent, and what is no frame is
 * refused before it costs memory. Method: properties over random frames and random cuts.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/domain/failure.ts';
import {
  dataFrames,
  FRAME,
  FRAME_BYTES_MAX,
  type Frame,
  FrameDecoder,
  type FrameType,
  frameBytes,
  jsonFrame,
} from '../../../src/protocol/exec-frames.ts';
import { execResize, execStart, readMessage } from '../../../src/protocol/exec-messages.ts';

const frame = fc.record({
  type: fc.constantFrom(...(Object.values(FRAME) as FrameType[])),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

/** Cuts bytes at the places given, modulo what is left. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let rest = bytes;
  for (const place of places) {
    if (rest.length === 0) break;
    const length = (place % rest.length) + 1;
    chunks.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return rest.length > 0 ? [...chunks, rest] : chunks;
}

function decode(chunks: readonly Buffer[]): { frames: Frame[]; decoder: FrameDecoder } {
  const decoder = new FrameDecoder();
  return { frames: chunks.flatMap((chunk) => [...decoder.feed(chunk)]), decoder };
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'nothing thrown';
  } catch (error) {
    return (error as AppError).code;
  }
}

test('any cutting gives the frames that were sent', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat({ max: 400 })), (sent, places) => {
      const bytes = Buffer.concat(sent.map(({ type, payload }) => frameBytes(type, payload)));
      const { frames, decoder } = decode(cut(bytes, places));
      expect(frames.map(({ type }) => type)).toEqual(sent.map(({ type }) => type));
      for (const [index, { payload }] of frames.entries())
        expect(payload.equals(sent[index]?.payload ?? Buffer.of(1))).toBe(true);
      expect(decoder.atRest).toBe(true);
    }),
  );
});

test('bytes one at a time, and a frame that is cut', () => {
  const bytes = frameBytes(FRAME.stdin, 'hello');
  expect(decode([...bytes].map((byte) => Buffer.of(byte))).frames).toHaveLength(1);
  const { frames, decoder } = decode([bytes.subarray(0, -1)]);
  expect(frames).toEqual([]);
  expect(decoder.atRest).toBe(false);
});

test('data of any length is cut into frames of moderate size and comes out whole', () => {
  fc.assert(
    fc.property(fc.nat({ max: 300_000 }), (length) => {
      const data = Buffer.alloc(length, 7);
      const cutUp = [...dataFrames(FRAME.stdout, data)];
      expect(cutUp.every((one) => one.length <= 64 * 1024 + 5)).toBe(true);
      const { frames } = decode(cutUp);
      expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(data)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

describe('what is no frame', () => {
  test('an unknown type, and a length beyond the bound, are refused from the head alone', () => {
    const head = (type: number, length: number): Buffer => {
      const bytes = Buffer.alloc(5);
      bytes.writeUInt8(type, 0);
      bytes.writeUInt32BE(length, 1);
      return bytes;
    };
    expect(codeOf(() => decode([head(99, 0)]))).toBe('REQUEST_INVALID');
    expect(codeOf(() => decode([head(FRAME.stdin, FRAME_BYTES_MAX + 1)]))).toBe('REQUEST_INVALID');
    expect(codeOf(() => decode([head(FRAME.stdin, FRAME_BYTES_MAX)]))).toBe('nothing thrown');
    expect(codeOf(() => frameBytes(FRAME.stdin, Buffer.alloc(FRAME_BYTES_MAX + 1)))).toBe(
      'REQUEST_INVALID',
    );
  });

  test.each([
    ['no JSON', 'x'],
    ['no command', '{"command":[]}'],
    ['a NUL', '{"command":["a\\u0000"]}'],
    ['an unknown field', '{"command":["a"],"root":true}'],
    ['a terminal without a name', '{"command":["a"],"tty":{"columns":80,"rows":24,"term":"a;b"}}'],
  ])('a start with %s', (_, text) => {
    expect(codeOf(() => readMessage(execStart, Buffer.from(text)))).toBe('REQUEST_INVALID');
  });

  test('a window of no size', () => {
    const { payload } = decode([jsonFrame(FRAME.resize, { columns: 0, rows: 1 })]).frames[0] ?? {};
    expect(codeOf(() => readMessage(execResize, payload ?? Buffer.alloc(0)))).toBe(
      'REQUEST_INVALID',
    );
  });
});
