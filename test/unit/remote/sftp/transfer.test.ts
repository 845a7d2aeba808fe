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
import { until } from '../../../support/until.ts';

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
    read: async (_: unknown, position: number, room: Buffer) => {
      const turn = asked++;
      for (let n = delays[turn % delays.length] ?? 0; n > 0; n -= 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { length } = room;
      const give = Math.max(1, Math.min(length, generosity[turn % generosity.length] ?? length));
      return content.subarray(position, position + give).copy(room);
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
            room: Buffer.alloc(size),
          });
          expect(range.equals(data.subarray(offset, offset + size))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a read into a room', () => {
  it('that is over writes nothing there any more, also when it failed or found the end early', async () => {
    const answers: Array<{ room: Buffer; answer: (count: number) => void; refuse: () => void }> =
      [];
    const fake = {
      maxRead: 4,
      open: async () => FILE,
      close: async () => {},
      read: (_: unknown, __: number, room: Buffer) =>
        new Promise<number>((resolve, reject) => {
          const answer = (count: number): void => resolve(room.fill('x', 0, count) && count);
          answers.push({ room, answer, refuse: () => reject(new AppError('SFTP_FAILED', 'no')) });
        }),
    } as unknown as SftpSession;
    for (const first of ['refuse', 'end'] as const) {
      answers.length = 0;
      const room = Buffer.alloc(12, '-');
      let over = false;
      const work = readRangeFrom(fake, '/f', { offset: 0, room })
        .catch((error: unknown) => error)
        .finally(() => (over = true));
      await until(() => answers.length === 3);
      if (first === 'refuse') answers[0]?.refuse();
      else answers[0]?.answer(0);
      answers[1]?.answer(4);
      await new Promise((resolve) => setImmediate(resolve));
      expect(over).toBe(false);
      answers[2]?.answer(4);
      const result = await work;
      if (first === 'refuse') expect(result).toMatchObject({ code: 'SFTP_FAILED' });
      else expect(result).toEqual(Buffer.alloc(0));
    }
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
