/** The first packet of an SFTP server, and what a login shell prints in front of it. Pure. */

/** Asks for version 3. */
export const SFTP_INIT = Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]);

const VERSION_3 = Buffer.from([2, 0, 0, 0, 3]);
const PACKET_MAX_BYTES = 64 * 1024;

export interface SftpHello {
  /** Printed before the packet; any byte of it makes SFTP impossible. */
  noise: string;
  extensions: string[];
}

/** Undefined until the whole packet is there. */
export function readSftpHello(bytes: Buffer): SftpHello | undefined {
  for (let at = bytes.indexOf(VERSION_3); at !== -1; at = bytes.indexOf(VERSION_3, at + 1)) {
    if (at < 4) continue;
    const length = bytes.readUInt32BE(at - 4);
    if (length < VERSION_3.length || length > PACKET_MAX_BYTES) continue;
    if (bytes.length < at + length) return undefined;
    const pairs = stringsIn(bytes.subarray(at + VERSION_3.length, at + length));
    return {
      noise: bytes.toString('utf8', 0, at - 4),
      extensions: pairs.filter((_, index) => index % 2 === 0),
    };
  }
  return undefined;
}

function stringsIn(bytes: Buffer): string[] {
  const strings: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    strings.push(bytes.toString('latin1', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return strings;
}
