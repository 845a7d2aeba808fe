/**
 * What known_hosts files say about one host. Pure: comes in text, goes out keys. Whatever cannot be
 * used is kept with its reason: a line that might revoke a key must never be passed over in silence.
 */
import { knownHostsName, matchesHost } from './host-pattern.ts';

export interface KnownHostsFile {
  path: string;
  text: string;
}

/** A place in a file, for messages. */
export interface LinePlace {
  file: string;
  line: number;
}

export interface PinnedKey extends LinePlace {
  type: string;
  blob: Buffer;
}

export interface UnusableLine extends LinePlace {
  reason: string;
}

export interface HostPins {
  pinned: PinnedKey[];
  revoked: PinnedKey[];
  /** Lines with @revoked that may be about this host and hold no readable key: nothing may pass. */
  badRevoked: UnusableLine[];
  /** Other lines about this host that are of no use, and why. */
  unusable: UnusableLine[];
}

interface Line extends LinePlace {
  marker: string | undefined;
  /** Host column, key type, key, comment. */
  words: string[];
}

/** Key types whose signatures ssh2 can check, by the name that stands in the file. */
const USABLE_TYPES: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);

/** Many sites still have host keys of this size; what is smaller can be broken. */
const RSA_BITS_MIN = 2048;

/** Gathers all lines about a host, in the order of the files. */
export function pinsFor(files: KnownHostsFile[], hostname: string, port: number): HostPins {
  return pinsForName(files, knownHostsName(hostname, port));
}

/** As pinsFor, for a name as it stands in the files: `host` or `[host]:port`. */
export function pinsForName(files: KnownHostsFile[], name: string): HostPins {
  const pins: HostPins = { pinned: [], revoked: [], badRevoked: [], unusable: [] };
  for (const file of files) {
    for (const line of linesOf(file)) sortLine(line, name, pins);
  }
  return pins;
}

function* linesOf({ path, text }: KnownHostsFile): Generator<Line> {
  for (const [index, raw] of text.split('\n').entries()) {
    const words = raw.trim().split(/[ \t]+/);
    const [first = ''] = words;
    if (first === '' || first.startsWith('#')) continue;
    const marker = first.startsWith('@') ? first : undefined;
    yield {
      file: path,
      line: index + 1,
      marker,
      words: marker === undefined ? words : words.slice(1),
    };
  }
}

function sortLine(line: Line, name: string, pins: HostPins): void {
  const revokes = line.marker === '@revoked';
  const about = matchesHost(line.words[0] ?? '', name);
  // A revocation without a host column that can be read may be about any host.
  const readable = about !== undefined && line.words[0] !== undefined;
  if (!readable && revokes)
    pins.badRevoked.push(unusable(line, 'its host column cannot be understood'));
  if (about !== true) return;
  const key = readKey(line);
  if ('reason' in key) (revokes ? pins.badRevoked : pins.unusable).push(key);
  else if (revokes) pins.revoked.push(key);
  else pins.pinned.push(key);
}

function readKey(line: Line): PinnedKey | UnusableLine {
  const [, type = '', base64 = ''] = line.words;
  if (line.marker === '@cert-authority') {
    return unusable(
      line,
      'it names a certificate authority, and host certificates are not supported',
    );
  }
  if (line.marker !== undefined && line.marker !== '@revoked') {
    return unusable(line, `the marker ${line.marker} is not known`);
  }
  const blob = decodeBase64(base64);
  if (blob === undefined) return unusable(line, 'its key is not base64');
  if (blobType(blob) !== type) return unusable(line, 'its key is not of the type named before it');
  // A revocation is compared byte by byte, so its type need not be one that we could use.
  if (line.marker === undefined && !USABLE_TYPES.has(type)) {
    return unusable(line, `keys of type ${type} are not supported`);
  }
  const bits = rsaBits(blob, type);
  if (line.marker === undefined && bits !== undefined && bits < RSA_BITS_MIN) {
    return unusable(line, `an RSA key of ${bits} bits is too weak; ${RSA_BITS_MIN} is the least`);
  }
  return { file: line.file, line: line.line, type, blob };
}

function unusable({ file, line }: LinePlace, reason: string): UnusableLine {
  return { file, line, reason };
}

function decodeBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Buffer.from(text, 'base64');
}

/** A key blob begins with its own type as a length-prefixed string. */
function blobType(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) return undefined;
  return blob.toString('latin1', 4, 4 + length);
}

/** The length of the modulus, the last of the three strings of the blob; undefined for whatever else. */
function rsaBits(blob: Buffer, type: string): number | undefined {
  if (type !== 'ssh-rsa') return undefined;
  let at = 0;
  let part: Buffer = blob;
  for (let strings = 0; strings < 3; strings += 1) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    part = blob.subarray(at + 4, end);
    at = end;
  }
  const digits = part.toString('hex').replace(/^0+/, '');
  if (at !== blob.length || digits === '') return undefined;
  return (digits.length - 1) * 4 + Number.parseInt(digits[0] ?? '0', 16).toString(2).length;
}
