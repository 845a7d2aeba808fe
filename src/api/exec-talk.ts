/**
 * The middle of `exec`: frames of the client to the command, bytes of the command to the client. The
 * client's frames are always read, so that a signal or its going away is seen at once; its stdin is
 * bounded by a window instead. The outputs wait for the client, and the command waits for them.
 */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { AppError, toAppError } from '../domain/failure.ts';
import type { ExecSession } from '../engine/service.ts';
import {
  dataFrames,
  FRAME,
  type Frame,
  jsonFrame,
  STDIN_WINDOW_BYTES,
} from '../protocol/exec-frames.ts';
import { execResize, execSignal, readMessage } from '../protocol/exec-messages.ts';
import type { Logger } from './deps.ts';
import { errorBody } from './errors.ts';
import { drained } from './stream.ts';

export interface Talk {
  raw: ServerResponse;
  frames: AsyncIterable<Frame>;
  session: ExecSession;
  /** Aborts when the client or the API goes away. */
  gone: AbortSignal;
  logger: Logger;
}

/**
 * How long the connection stays open for a client that has not left after the last frame. One that is
 * just sending when the other side closes sees that its writing failed, and never reads the frame.
 */
const LEAVE_MS = 2_000;

/** Carries on until the command has ended or the client is gone. Never rejects. */
export async function talk(exec: Talk): Promise<void> {
  const { raw, session, gone } = exec;
  const left = new Promise<never>((_, reject) => {
    const leave = (): void => reject(new AppError('HOST_CALL_ABORTED', 'the client has gone'));
    if (gone.aborted) leave();
    gone.addEventListener('abort', leave, { once: true });
  });
  left.catch(() => {});
  try {
    if (session.note !== undefined) raw.write(jsonFrame(FRAME.note, { text: session.note }));
    const outputs = Promise.all([
      send(exec, FRAME.stdout, session.stdout),
      send(exec, FRAME.stderr, session.stderr),
    ]);
    outputs.catch(() => {});
    const heard = listen(exec);
    const broken = new Promise<never>((_, reject) => {
      heard.catch(reject);
    });
    broken.catch(() => {});
    const code = await Promise.race([session.ended, broken, left]);
    await Promise.race([outputs, left]);
    raw.write(jsonFrame(FRAME.exit, { code }));
    await settled([heard, left]);
    raw.end();
  } catch (thrown) {
    session.close();
    end(exec, toAppError(thrown));
  }
}

/** Waits until one of them has happened, but not for long. */
async function settled(events: Promise<unknown>[]): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, LEAVE_MS);
  await Promise.race([...events, late.promise]).catch(() => {});
  clearTimeout(timer);
}

function end({ raw, gone, logger }: Talk, error: AppError): void {
  if (gone.aborted) {
    raw.destroy();
    return;
  }
  if (error.code === 'INTERNAL') logger.error({ err: error }, 'exec broke');
  raw.end(jsonFrame(FRAME.error, errorBody(error)));
}

async function send(
  { raw, gone }: Talk,
  type: typeof FRAME.stdout | typeof FRAME.stderr,
  source: Readable,
): Promise<void> {
  for await (const chunk of source) {
    for (const frame of dataFrames(type, chunk as Buffer)) {
      if (gone.aborted) return;
      if (!raw.write(frame)) await drained(raw, gone);
    }
  }
}

/** Reads the client's frames to their end. @throws REQUEST_INVALID on one that does not fit */
async function listen({ raw, frames, session, gone }: Talk): Promise<void> {
  let pending = 0;
  const take = (payload: Buffer): void => {
    pending += payload.length;
    if (pending > STDIN_WINDOW_BYTES) {
      throw new AppError('REQUEST_INVALID', 'exec: more stdin was sent than the window allows');
    }
    if (session.stdin.writableEnded || payload.length === 0) return;
    session.stdin.write(payload, () => {
      pending -= payload.length;
      if (!gone.aborted && !raw.writableEnded)
        raw.write(jsonFrame(FRAME.taken, { bytes: payload.length }));
    });
  };
  for await (const { type, payload } of frames) {
    if (gone.aborted) return;
    if (type === FRAME.stdin) take(payload);
    else if (type === FRAME.stdinEnd) session.stdin.end();
    else if (type === FRAME.resize) session.resize(readMessage(execResize, payload));
    else if (type === FRAME.signal) session.signal(readMessage(execSignal, payload).name);
    else throw new AppError('REQUEST_INVALID', `exec: a frame of type ${type} does not fit here`);
  }
}
