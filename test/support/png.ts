/** Reads PNGs as browsers write them (8 bits a channel, not interlaced): size, and how many pixels have which colour. */
import { inflateSync } from 'node:zlib';

export interface Picture {
  width: number;
  height: number;
  /** By `#rrggbb`. */
  colours: Map<string, number>;
}

const SIGNATURE_BYTES = 8;

export function readPng(bytes: Buffer): Picture {
  let header: Buffer = Buffer.alloc(0);
  const data: Buffer[] = [];
  for (let at = SIGNATURE_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const kind = bytes.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (kind === 'IHDR') header = content;
    if (kind === 'IDAT') data.push(content);
    at += length + 12;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, kind] = [header[8], header[9]];
  if (depth !== 8 || (kind !== 2 && kind !== 6))
    throw new Error(`a PNG of kind ${kind}, depth ${depth}`);
  const channels = kind === 6 ? 4 : 3;
  return {
    width,
    height,
    colours: coloursOf(
      unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels),
      channels,
    ),
  };
}

/** Each row begins with how its bytes differ from those on the left and above. */
function unfiltered(raw: Buffer, stride: number, channels: number): Buffer {
  const rows = raw.length / (stride + 1);
  const out = Buffer.alloc(rows * stride);
  for (let row = 0; row < rows; row += 1) {
    const filter = raw[row * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : (out[row * stride + x - channels] ?? 0);
      const up = row === 0 ? 0 : (out[(row - 1) * stride + x] ?? 0);
      const corner = row === 0 || x < channels ? 0 : (out[(row - 1) * stride + x - channels] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      out[row * stride + x] = ((raw[row * (stride + 1) + 1 + x] ?? 0) + guess) & 255;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const far = (one: number): number => Math.abs(guess - one);
  if (far(left) <= far(up) && far(left) <= far(corner)) return left;
  return far(up) <= far(corner) ? up : corner;
}

function coloursOf(pixels: Buffer, channels: number): Map<string, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return new Map(
    [...counts].map(([colour, count]) => [`#${colour.toString(16).padStart(6, '0')}`, count]),
  );
}
