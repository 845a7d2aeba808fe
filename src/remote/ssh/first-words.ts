/**
 * What a host says before the banner of SSH. sshd turns a login away by a line of text and a close
 * ("Not allowed at this time", "Exceeded MaxStartups"), which ssh2 tells as a lost connection only.
 */
import type { Duplex } from 'node:stream';

const HEARD_MAX = 256;
const SHOWN_MAX = 80;
const TURNED_AWAY =
  /not allowed at this time|exceeded maxstartups|too many (?:connections|logins|users)/i;

export interface FirstWords {
  /** True once the banner has begun: the login got in at the door. */
  banner(): boolean;
  /** True when the words before the banner say that it is too much just now. */
  turnedAway(): boolean;
  /** Printable, short; empty when nothing was said. */
  text(): string;
}

/** Listens in without taking anything from whoever reads the socket. Call it before the client does. */
export function hearFirstWords(socket: Duplex): FirstWords {
  let heard = '';
  const hear = (chunk: Buffer): void => {
    heard += chunk.subarray(0, HEARD_MAX).toString('latin1');
    if (heard.length >= HEARD_MAX || isBanner()) socket.off('data', hear);
  };
  // A listener for data of our own would start the flow before the client is there to read.
  const join = (event: string | symbol): void => {
    if (event !== 'data') return;
    socket.off('newListener', join);
    socket.on('data', hear);
  };
  const isBanner = (): boolean => /^SSH-/m.test(heard);
  socket.on('newListener', join);
  return {
    banner: isBanner,
    turnedAway: () => !isBanner() && TURNED_AWAY.test(heard),
    text: () =>
      heard
        .slice(0, SHOWN_MAX)
        .replaceAll(/[^\x20-\x7e]+/g, ' ')
        .trim(),
  };
}
