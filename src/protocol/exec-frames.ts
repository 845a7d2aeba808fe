/**
 * The conversation of `exec` over one request: frames of a type, a length and a payload, in both
 * directions at once. Cut anywhere on the way, they come out as they went in. Pure, and loads no
 * package; what the payloads mean is in exec-messages.ts.
 *
 *   byte 0      type (FRAME)
 *   bytes 1..4  length of the payload, big endian, at most FRAME_BYTES_MAX
 *   then        the payload
 */
import { AppError } from '../domain/failure.ts';

export const FRAME = Object.freeze({
  // to the daemon
  /** JSON: what to run. The first frame, once. */
  start: 1,
  stdin: 2,
  /** Nothing more comes on stdin. */
  stdinEnd: 3,
  /** JSON: columns and rows. */
  resize: 4,
  /** JSON: name of a signal. */
  signal: 5,
  // to the client
  stdout: 16,
  stderr: 17,
  /** JSON: how many bytes of stdin were handed on; that many more may come. */
  taken: 18,
  /** JSON: something to tell the user that is not the command's. */
  note: 19,
  /** JSON: how the command ended. The last frame. */
  exit: 20,
  /** JSON: a failure; the last frame. */
  error: 21,
});

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  type: FrameType;
  payload: Buffer;
}

export const FRAME_BYTES_MAX = 1024 * 1024;
/** Bytes of stdin a client may send beyond what the daemon said it took. */
export const STDIN_WINDOW_BYTES = 256 * 1024;
export const EXEC_MEDIA_TYPE = 'application/vnd.towline.exec';

const HEAD_BYTES = 5;
const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));
/** Data is cut into frames of this size, so that nothing waits long behind it. */
const DATA_BYTES = 64 * 1024;

/** One frame as bytes. @throws REQUEST_INVALID when the payload is too long */
export function frameBytes(type: FrameType, payload: Uint8Array | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  if (body.byteLength > FRAME_BYTES_MAX) throw tooLong(body.byteLength);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.byteLength);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt32BE(body.byteLength, 1);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** A message as a frame. */
export function jsonFrame(type: FrameType, message: unknown): Buffer {
  return frameBytes(type, JSON.stringify(message));
}

/** Data as frames of moderate size; none for no bytes. */
export function* dataFrames(type: FrameType, data: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < data.byteLength; at += DATA_BYTES) {
    yield frameBytes(type, data.subarray(at, at + DATA_BYTES));
  }
}

/** Puts frames together again. Holds at most one unfinished frame. */
export class FrameDecoder {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** True when the bytes so far end between two frames. */
  get atRest(): boolean {
    return this.#bytes === 0;
  }

  /**
   * The frames that these bytes completed, in order.
   * @throws REQUEST_INVALID on an unknown type or a length out of bounds; the rest makes no sense then
   */
  *feed(chunk: Buffer): Generator<Frame> {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#bytes < HEAD_BYTES) return;
      const head = this.#peekHead();
      const type = head.readUInt8(0);
      const length = head.readUInt32BE(1);
      if (!TYPES.has(type)) {
        throw new AppError('REQUEST_INVALID', `exec: a frame of the unknown type ${type}`);
      }
      if (length > FRAME_BYTES_MAX) throw tooLong(length);
      if (this.#bytes < HEAD_BYTES + length) return;
      const frame = this.#take(HEAD_BYTES + length).subarray(HEAD_BYTES);
      yield { type: type as FrameType, payload: frame };
    }
  }

  /** Small chunks are joined only when a frame is whole, or each byte would copy all before it. */
  #peekHead(): Buffer {
    const [first] = this.#parts;
    if (first !== undefined && first.length >= HEAD_BYTES) return first;
    this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] as Buffer;
  }

  #take(length: number): Buffer {
    const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    const rest = all.subarray(length);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes -= length;
    return all.subarray(0, length);
  }
}

function tooLong(bytes: number): AppError {
  return new AppError(
    'REQUEST_INVALID',
    `exec: a frame of ${bytes} bytes; at most ${FRAME_BYTES_MAX}`,
  );
}
