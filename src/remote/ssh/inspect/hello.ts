/** Reads what a server says before anything is secret: its version, and the host key types it has. Pure. */

const KEXINIT = 20;
const COOKIE_BYTES = 16;
/** No SSH server says more before its key exchange. */
const KEPT_BYTES = 64 * 1024;

export class HelloReader {
  /** Lines before the version: some servers greet with one, and other services only have such. */
  before = '';
  /** `SSH-2.0-OpenSSH_10.0`, once it was said. */
  server: string | undefined;
  /** Types of host keys in the server's order, once it was said. */
  hostKeyTypes: string[] | undefined;
  #held: Buffer = Buffer.alloc(0);
  #total = 0;

  /** Takes the next bytes; what comes after the key exchange began is not looked at. */
  feed(chunk: Buffer): void {
    if (this.hostKeyTypes !== undefined || this.#total > KEPT_BYTES) return;
    this.#total += chunk.length;
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.server === undefined && this.#takeLine());
    if (this.server !== undefined) this.hostKeyTypes = hostKeyTypesIn(this.#held);
  }

  /** What came and is no whole line: all that a service says that is no SSH server. */
  get rest(): string {
    return this.server === undefined ? this.#held.toString('utf8') : '';
  }

  #takeLine(): boolean {
    const end = this.#held.indexOf(0x0a);
    if (end === -1) return false;
    const line = this.#held.toString('utf8', 0, end).replace(/\r$/, '');
    this.#held = this.#held.subarray(end + 1);
    if (line.startsWith('SSH-')) this.server = line;
    else this.before += `${line}\n`;
    return true;
  }
}

/** The second list of a whole KEXINIT packet; undefined while it is not whole, or is no such packet. */
function hostKeyTypesIn(bytes: Buffer): string[] | undefined {
  if (bytes.length < 6 || bytes[5] !== KEXINIT) return undefined;
  if (bytes.length < 4 + bytes.readUInt32BE(0)) return undefined;
  const kexAt = 6 + COOKIE_BYTES;
  const kex = listAt(bytes, kexAt);
  return kex === undefined ? undefined : listAt(bytes, kexAt + 4 + kex.join(',').length);
}

function listAt(bytes: Buffer, at: number): string[] | undefined {
  if (bytes.length < at + 4) return undefined;
  const length = bytes.readUInt32BE(at);
  if (bytes.length < at + 4 + length) return undefined;
  return bytes.toString('latin1', at + 4, at + 4 + length).split(',');
}
