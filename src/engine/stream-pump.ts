/**
 * Brings the bytes of one attempt's streams from the host to the spool. Knows how long the streams
 * are there; the spool's length says where to read on. A stream that shrank keeps what is here.
 */
import { type AppError, toAppError } from '../domain/failure.ts';
import { type AttemptToken, STREAMS, type StreamName } from '../domain/task.ts';
import type { Spool } from '../spool/spool.ts';
import type { Seat } from './seats.ts';

const CHUNK_BYTES = 4 << 20;
/** From here on reads have rooms that are used again: what is allocated for each is soon most of what a long stream costs. */
const ROOM_FROM_BYTES = 256 << 10;
/** Looks without news after which the spool is asked all the same: a sync that failed has cut off what may be lost. */
const ASKED_EVERY = 16;

type Sizes = Record<StreamName, number>;

export interface Pump {
  /** The streams are this long on the host now, and are fetched; true when they grew. */
  want(sizes: Sizes): Promise<boolean>;
  /** Resolves when all that was wanted is in the spool. @throws what the last try failed with */
  drained(): Promise<void>;
  /** Why the last fetch failed, until one works. */
  trouble(): AppError | undefined;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

interface PumpDeps {
  seat: Seat;
  spool: Spool;
  request: { token: AttemptToken; dir: string };
  /** Another pump of the same attempt may still be writing. */
  after: Promise<void>;
}

export function createPump({ seat, spool, request, after }: PumpDeps): Pump {
  const files = spool.attempt(request.token);
  const target: Sizes = { stdout: 0, stderr: 0 };
  let trouble: AppError | undefined;
  let stopped = false;
  /** Looks for which the spool need not be asked: it had all there is. */
  let restful = 0;
  let pumping: Promise<void> | undefined;

  async function lag(): Promise<boolean> {
    restful = 0;
    for (const stream of STREAMS) if ((await files.length(stream)) < target[stream]) return true;
    restful = ASKED_EVERY;
    return false;
  }

  async function pumpStream(stream: StreamName): Promise<void> {
    let at = await files.length(stream);
    const rooms = new Rooms();
    let ahead = read(stream, at, rooms);
    while (ahead !== undefined) {
      const bytes = await ahead;
      if (bytes.length === 0) return;
      const offset = at;
      at += bytes.length;
      // the next bytes come while these are written
      ahead = read(stream, at, rooms);
      await files.append(stream, offset, bytes);
    }
  }

  /** Undefined: no more is there or wanted. Its failure is met when its turn comes, or not at all when an earlier write failed. */
  function read(stream: StreamName, offset: number, rooms: Rooms): Promise<Buffer> | undefined {
    const missing = target[stream] - offset;
    if (stopped || missing <= 0) return undefined;
    const path = `${request.dir}/${stream}`;
    const bytes = seat.host.readRange(path, offset, rooms.next(Math.min(missing, CHUNK_BYTES)));
    bytes.catch(() => {});
    return bytes;
  }

  async function pumpBoth(): Promise<void> {
    await after;
    const results = await Promise.allSettled(STREAMS.map(pumpStream));
    const failed = results.find((result) => result.status === 'rejected');
    trouble = failed === undefined ? undefined : toAppError(failed.reason);
    if (trouble !== undefined) throw trouble;
  }

  function pump(): Promise<void> {
    pumping ??= pumpBoth().finally(() => {
      pumping = undefined;
    });
    return pumping;
  }

  return {
    async want(sizes) {
      const grew = STREAMS.some((stream) => sizes[stream] > target[stream]);
      for (const stream of STREAMS) target[stream] = Math.max(target[stream], sizes[stream]);
      if (!grew && restful > 0) {
        restful -= 1;
        return false;
      }
      if (!(await lag())) return false;
      pump().catch(() => {});
      return grew;
    },
    async drained() {
      await pumping?.catch(() => {});
      if (await lag()) await pump();
    },
    trouble: () => trouble,
    async stop() {
      stopped = true;
      await pumping?.catch(() => {});
    },
  };
}

/** Two in turn: one is written to the spool while the next bytes come into the other. A failed read ends both. */
class Rooms {
  readonly #rooms: Buffer[] = [];

  /** Room for so many bytes, or their number alone where they are few. */
  next(bytes: number): number | Buffer {
    if (bytes < ROOM_FROM_BYTES) return bytes;
    const room = this.#rooms.length < 2 ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : this.#rooms.shift();
    this.#rooms.push(room as Buffer);
    return (room as Buffer).subarray(0, bytes);
  }
}
