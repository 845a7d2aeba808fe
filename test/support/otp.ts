/** The one-time codes of otto on vm2: HOTP (RFC 4226) with a counter, so each code works once. */
import { createHmac } from 'node:crypto';
import { onHost } from './bed.ts';

/** As in test/bed/hosts/bed-homes. */
const SECRET = Buffer.from('12345678901234567890');
const CODES_FILE = '/etc/bed-codes';

/** The code of a counter, six digits. */
export function hotp(counter: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac('sha1', SECRET).update(message).digest();
  const at = (digest.at(-1) ?? 0) & 0xf;
  const number = (digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

/**
 * How many counters are used up: the code of this counter is the next that works. A code that was not
 * right uses up nothing.
 */
export async function otpCounter(): Promise<number> {
  // HOTP user pin secret [counter-of-the-last-login time last-code]
  const [, , , , last] = (await onHost('vm2', 'cat', CODES_FILE)).trim().split(/\s+/);
  return last === undefined ? 0 : Number(last) + 1;
}

/** The next code that works. */
export async function nextOtp(): Promise<string> {
  return hotp(await otpCounter());
}
