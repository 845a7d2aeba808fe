/** Turns chunks of any size into chunks of the size asked for; only the last one may be shorter. */
export async function* rechunk(
  source: AsyncIterable<Uint8Array>,
  size: () => number,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of source) {
    parts.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    held += chunk.byteLength;
    if (held < size()) continue;
    let rest = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    for (let length = size(); rest.length >= length; length = size()) {
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
    parts = rest.length === 0 ? [] : [rest];
    held = rest.length;
  }
  if (held > 0) yield Buffer.concat(parts);
}
