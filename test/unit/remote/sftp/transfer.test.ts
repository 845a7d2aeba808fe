/**
 * Transfers against a server that OpenSSH is not: short reads, late answers, failing writes. The
 * session is played by the test, so each answer comes when and as the test says.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { downloadFrom, readRangeFrom } from '../../../../src/remote/sftp/download.ts';
import type { SftpSession } from '../../../../src/remote/sftp/session.ts';
import { uploadTo } from '../../../../src/remote/sftp/upload.ts';

const FILE = { path: '/f', handle: Buffer.alloc(4) };

/** Reads give as many bytes as `generosity` says, after as many turns of the loop as `delays` says. */
function session(content: Buffer, generosity: number[], delays: number[] = [0]): SftpSession {
  let asked = 0;
  const fake = {
    maxRead: 64,
    maxWrite: 64,
    linkStat: async () => ({ mode: 0o100600, size: content.length }),
    open: async () => FILE,
    close: async () => {},
    read: async (_: unknown, position: number, length: number) => {
      const turn = asked++;
      for (let n = delays[turn % delays.length] ?? 0; n > 0; n -= 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      const give = Math.max(1, Math.min(length, generosity[turn % generosity.length] ?? length));
      return content.subarray(position, position + give);
    },
  };
  return fake as unknown as SftpSession;
}

const numbers = (max: number) => fc.array(fc.nat({ max }), { minLength: 1, maxLength: 7 });
const content = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => n % 251));

describe('downloads', () => {
  it('are whole and in order whatever the server gives and when', async () => {
    const sizes = fc.record({ size: fc.nat({ max: 3000 }), offset: fc.nat({ max: 3000 }) });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        numbers(64),
        numbers(3),
        async ({ size, offset }, generosity, delays) => {
          const data = content(2000);
          const got: Buffer[] = [];
          const write = async (chunk: Buffer): Promise<void> => void got.push(chunk);
          const reading = { path: '/f', size, write, now: () => 0 };
          await downloadFrom(session(data, generosity, delays), reading, { offset });
          expect(Buffer.concat(got).equals(data.subarray(offset, Math.max(offset, size)))).toBe(
            true,
          );
          const range = await readRangeFrom(session(data, generosity, delays), '/f', {
            offset,
            length: size,
          });
          expect(range.equals(data.subarray(offset, offset + size))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('uploads', () => {
  it('reject when any write is refused, and report no progress beyond it', async () => {
    const answers: Array<(error?: Error) => void> = [];
    const fake = {
      maxRead: 64,
      maxWrite: 64,
      open: async () => FILE,
      close: async () => {},
      write: () =>
        new Promise<void>((resolve, reject) => {
          answers.push((error) => (error === undefined ? resolve() : reject(error)));
        }),
    };
    async function* source(): AsyncGenerator<Buffer> {
      yield content(640);
    }
    const seen: number[] = [];
    const work = uploadTo(
      fake as unknown as SftpSession,
      { source: source(), target: '/f', now: () => 0 },
      { onProgress: (done) => seen.push(done) },
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers.length).toBe(10);
    // Acknowledged out of order, the third one refused.
    for (const n of [9, 4, 1, 0, 3]) answers[n]?.();
    answers[2]?.(new AppError('SFTP_FAILED', 'no'));
    await expect(work).rejects.toMatchObject({ code: 'SFTP_FAILED' });
    expect(seen).toEqual([64, 128]);
  });
});
