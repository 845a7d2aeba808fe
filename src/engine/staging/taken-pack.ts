/**
 * A pack of small files that are on another host: they come from there as one stream, get their headers on the way and
 * go on as an archive. No more is here at once than a few of them, and nothing of it is on this disk.
 */
import { AppError } from '../../domain/failure.ts';
import type * as ustar from '../disk/ustar.ts';
import type { Seat } from '../seats.ts';
import { createCutter } from './cut-stream.ts';
import { archiveFrom, blocksOfBytes } from './pack-stream.ts';
import { streamFiles } from './stream-files.ts';

/** A file that is on the host where it was made. */
export interface TakenMember extends ustar.Member {
  /** Path on that host. */
  remote: string;
}

/**
 * The archive from `offset` on; files that end before it do not come.
 * @throws STAGE_INPUT_CHANGED when the host sends something else than it said it has; SSH_* HOST_*
 */
export function takenStream(
  { source, signal }: { source: Seat; signal: AbortSignal },
  members: readonly TakenMember[],
  offset: number,
): AsyncGenerator<Uint8Array> {
  return archiveFrom(members, offset, async function* (wanted) {
    const purpose = `taking ${wanted.length} outputs for another host`;
    const broken = (why: string): AppError => notAsSaid(source, why);
    const cutter = createCutter(wanted.map((member) => ({ member, size: member.bytes })));
    const paths = wanted.map(({ remote }) => remote);
    const blocks = function* (): Generator<Uint8Array> {
      const { files = [], sizes = [], bytes = new Uint8Array() } = cutter.take() ?? {};
      let at = 0;
      for (const [index, { member }] of files.entries()) {
        const end = at + (sizes[index] ?? 0);
        yield blocksOfBytes(member, bytes.subarray(at, end));
        at = end;
      }
    };
    for await (const chunk of streamFiles({ seat: source, purpose, signal, broken }, paths)) {
      if (!cutter.add(chunk)) throw broken('more bytes came than it has');
      yield* blocks();
    }
    // those without any bytes at the end
    yield* blocks();
    if (cutter.left.length > 0) throw broken('it ended too early');
  });
}

function notAsSaid({ name }: Seat, why: string): AppError {
  const text = `outputs as one stream from host ${name}: ${why}`;
  return new AppError('STAGE_INPUT_CHANGED', text, { context: { host: name, path: name } });
}
