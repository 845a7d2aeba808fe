/** A command inside a task, as the client of the daemon sees it: see protocol/exec-frames.ts. */
import { PassThrough } from 'node:stream';
import { AppError } from '../domain/failure.ts';
import {
  dataFrames,
  EXEC_MEDIA_TYPE,
  FRAME,
  type Frame,
  FrameDecoder,
  frameBytes,
  jsonFrame,
  STDIN_WINDOW_BYTES,
} from '../protocol/exec-frames.ts';
import {
  type ExecStart,
  execError,
  execExit,
  execNote,
  execTaken,
  readMessage,
} from '../protocol/exec-messages.ts';
import { connectionError, errorFromView } from './errors.ts';
import { TowlineError } from './towline-error.ts';
import type { Transport } from './transport.ts';

export type ExecEvent =
  | { kind: 'stdout' | 'stderr'; bytes: Buffer }
  | { kind: 'note'; text: string }
  /** The last one; as a shell shows it: 128+n for a signal. */
  | { kind: 'exit'; code: number };

export interface ExecStream {
  /** To be read to the end, or nothing moves. @throws SSH_CONNECTION_LOST DAEMON_NOT_RUNNING and others */
  events(): AsyncGenerator<ExecEvent, undefined>;
  /** Resolves when the bytes may go; waits while the command does not read. */
  writeStdin(bytes: Buffer): Promise<void>;
  endStdin(): void;
  resize(size: { columns: number; rows: number }): void;
  signal(name: 'HUP' | 'INT' | 'QUIT' | 'TERM' | 'KILL'): void;
  /** Goes away; the command is ended. */
  close(): void;
}

interface Opening {
  id: string;
  start: ExecStart;
  signal?: AbortSignal | undefined;
}

/** @throws what the daemon says when the command cannot be started */
export async function openExec(
  transport: Transport,
  { id, start, signal }: Opening,
): Promise<ExecStream> {
  const outgoing = new PassThrough();
  outgoing.write(jsonFrame(FRAME.start, start));
  const response = await transport.open('exec', {
    params: { id },
    body: outgoing,
    headers: { 'content-type': EXEC_MEDIA_TYPE },
    signal,
  });
  let room = STDIN_WINDOW_BYTES;
  let moreRoom = Promise.withResolvers<void>();
  const taken = (bytes: number): void => {
    room += bytes;
    moreRoom.resolve();
    moreRoom = Promise.withResolvers<void>();
  };

  async function* events(): AsyncGenerator<ExecEvent, undefined> {
    const decoder = new FrameDecoder();
    try {
      for await (const chunk of response) {
        for (const frame of decoder.feed(chunk as Buffer)) {
          if (frame.type === FRAME.taken) taken(readMessage(execTaken, frame.payload).bytes);
          else {
            const event = eventOf(frame);
            yield event;
            if (event.kind === 'exit') return;
          }
        }
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      signal?.throwIfAborted();
      throw connectionError(error as NodeJS.ErrnoException, transport.socketPath);
    }
    const cut = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    throw connectionError(cut, transport.socketPath);
  }

  return {
    events,
    async writeStdin(bytes) {
      for (const frame of dataFrames(FRAME.stdin, bytes)) {
        const length = frame.length - HEAD;
        while (room < length) await moreRoom.promise;
        room -= length;
        outgoing.write(frame);
      }
    },
    endStdin: () => void outgoing.write(frameBytes(FRAME.stdinEnd)),
    resize: (size) => void outgoing.write(jsonFrame(FRAME.resize, size)),
    signal: (name) => void outgoing.write(jsonFrame(FRAME.signal, { name })),
    close: () => void response.destroy(),
  };
}

const HEAD = frameBytes(FRAME.stdinEnd).length;

function eventOf({ type, payload }: Frame): ExecEvent {
  if (type === FRAME.stdout) return { kind: 'stdout', bytes: payload };
  if (type === FRAME.stderr) return { kind: 'stderr', bytes: payload };
  if (type === FRAME.note) return { kind: 'note', text: readMessage(execNote, payload).text };
  if (type === FRAME.exit) return { kind: 'exit', code: readMessage(execExit, payload).code };
  if (type === FRAME.error) throw errorFromView(readMessage(execError, payload).error);
  throw new TowlineError('INTERNAL', `the daemon sent a frame of type ${type}`);
}
