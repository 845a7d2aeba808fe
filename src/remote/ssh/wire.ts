/** What a connection runs over: a TCP socket, or a stream through another host that behaves like one. */
import type { Duplex } from 'node:stream';

export interface Wire extends Duplex {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The address that was really reached, where we reached it ourselves. */
  readonly remoteAddress?: string | undefined;
}
