/** Cuts the stream of a control shell into replies, byte-exact; noise between replies is dropped. */
import { beginMark, endMark } from './wrap.ts';

export interface Frame {
  nonce: string;
  code: number;
  /** Undefined when there was more than the limit. */
  output: Buffer | undefined;
}

const NOTHING = Buffer.alloc(0);
const NOISE_KEPT_BYTES = 512;

/** Replies come in the order in which their nonces were announced: a shell does one thing at a time. */
export class FrameReader {
  readonly #limit: number;
  readonly #expected: string[] = [];
  #inside = false;
  /** Bytes that may be the beginning of a mark. */
  #held: Buffer = NOTHING;
  #parts: Buffer[] = [];
  #size = 0;
  #noise: Buffer = NOTHING;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** What came before the first reply, for the error message of a shell that never gave one. */
  get noise(): string {
    const tail = this.#inside ? NOTHING : this.#held;
    return Buffer.concat([this.#noise, tail]).toString('utf8', 0, NOISE_KEPT_BYTES).trim();
  }

  expect(nonce: string): void {
    this.#expected.push(nonce);
  }

  /** Takes the next bytes of the stream and gives the replies that became complete. */
  feed(chunk: Buffer): Frame[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const nonce = this.#expected[0];
      if (nonce === undefined) {
        this.#dropNoise(this.#held.length);
        return frames;
      }
      if (!this.#inside && !this.#enter(nonce)) return frames;
      const frame = this.#leave(nonce);
      if (frame === undefined) return frames;
      frames.push(frame);
      this.#expected.shift();
    }
  }

  #enter(nonce: string): boolean {
    const mark = beginMark(nonce);
    const at = this.#held.indexOf(mark);
    if (at === -1) {
      this.#dropNoise(Math.max(0, this.#held.length - mark.length + 1));
      return false;
    }
    this.#dropNoise(at);
    this.#held = this.#held.subarray(mark.length);
    this.#inside = true;
    return true;
  }

  #leave(nonce: string): Frame | undefined {
    const mark = endMark(nonce);
    const at = this.#held.indexOf(mark);
    const lineEnd = at === -1 ? -1 : this.#held.indexOf('\n', at + mark.length);
    if (lineEnd === -1) {
      this.#collect(at === -1 ? Math.max(0, this.#held.length - mark.length + 1) : at);
      return undefined;
    }
    this.#collect(at);
    const code = Number(this.#held.subarray(mark.length, lineEnd - at).toString('latin1'));
    const output = this.#size > this.#limit ? undefined : Buffer.concat(this.#parts);
    this.#held = this.#held.subarray(lineEnd - at + 1);
    this.#inside = false;
    this.#parts = [];
    this.#size = 0;
    return { nonce, code, output };
  }

  #collect(length: number): void {
    this.#size += length;
    if (this.#size > this.#limit) this.#parts = [];
    else if (length > 0) this.#parts.push(this.#held.subarray(0, length));
    this.#held = this.#held.subarray(length);
  }

  #dropNoise(length: number): void {
    const room = NOISE_KEPT_BYTES - this.#noise.length;
    if (room > 0 && length > 0) {
      this.#noise = Buffer.concat([this.#noise, this.#held.subarray(0, Math.min(room, length))]);
    }
    this.#held = this.#held.subarray(length);
  }
}
