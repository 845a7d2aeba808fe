/** What an open connection carries: a shell and what it prints by itself, SFTP, how many channels. */
import type { Client, ClientChannel } from 'ssh2';
import { AppError, type ErrorContext, toAppError } from '../../../domain/failure.ts';
import { classifySsh } from '../../classify.ts';
import type { LinkInspection } from '../../inspection.ts';
import { withDeadline } from '../../settle.ts';
import { ControlShell, type ShellPort } from '../../shell/control-shell.ts';
import { FIRST_WORDS } from '../../shell/login-shell.ts';
import { hostContext } from '../connect.ts';
import type { ConnectionDeps } from '../connection.ts';
import { readSftpHello, SFTP_INIT, type SftpHello } from './sftp-hello.ts';

const OPEN_TIMEOUT_MS = 5_000;
const FIRST_ANSWER_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** sshd gives 10 unless it is told otherwise; more are of no use to us. */
const CHANNELS_MAX = 12;
const PINGS = 3;
const KEPT_BYTES = 4096;
/** What stands before the first reply of a control shell. */
const FIRST_MARK = /[0-9a-f]{32} begin\n/;

export interface ChannelLook {
  shell: ControlShell;
  close: () => void;
}

interface Line {
  client: Client;
  context: ErrorContext;
}

/** Tells each part. The shell stays open for more. */
export async function lookAtChannels(
  client: Client,
  deps: ConnectionDeps,
  tell: (part: LinkInspection) => void,
): Promise<ChannelLook> {
  const context = hostContext(deps.door.settings);
  const line = { client, context };
  // Each channel that is being opened listens for the end of the connection.
  client.setMaxListeners(2 * CHANNELS_MAX);
  // SFTP comes and goes first: a host may give no more than one channel at a time.
  const sftp = await lookAtSftp(line);
  const heard = { stdout: '', stderr: '' };
  const shell = new ControlShell({ ...deps, context, open: () => openShell(line, heard) });
  const close = (): void => {
    shell.end(new AppError('HOST_CALL_ABORTED', 'the look is over', { context }));
    client.end();
  };
  client.once('close', () =>
    shell.end(new AppError('SSH_CONNECTION_LOST', 'closed by the host', { context })),
  );
  const first = await ask(shell, FIRST_WORDS, FIRST_ANSWER_TIMEOUT_MS);
  const [reader, login] = first.output?.split('\n') ?? [];
  const before = heard.stdout.split(FIRST_MARK, 1)[0] ?? '';
  const found = { noise: before, stderr: heard.stderr, firstAnswerMs: first.ms, reader, login };
  tell({ shell: { found, failure: first.failure?.toRecord() }, sftp });
  if (first.failure === undefined) {
    tell({ sessions: { found: await countChannels(line) } });
    const times = [];
    for (let count = 0; count < PINGS; count += 1) times.push((await ask(shell, ':')).ms);
    tell({ roundTrip: { found: { ms: Math.min(...times) } } });
  }
  return { shell, close };
}

async function ask(shell: ControlShell, script: string, deadlineMs = OPEN_TIMEOUT_MS) {
  const startedAt = performance.now();
  const ms = (): number => performance.now() - startedAt;
  try {
    const { output } = await shell.run(script, {
      purpose: 'first answer of the shell',
      deadlineMs,
    });
    return { ms: ms(), output };
  } catch (error) {
    return { ms: ms(), failure: toAppError(error) };
  }
}

async function openShell(
  line: Line,
  heard: { stdout: string; stderr: string },
): Promise<ShellPort> {
  const channel = await opened(line, (client, done) => client.exec('/bin/sh', done));
  const keep = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    if (heard[stream].length < KEPT_BYTES) heard[stream] += chunk.toString('utf8');
  };
  channel.on('data', keep('stdout'));
  channel.stderr.on('data', keep('stderr'));
  return {
    write: (text) => channel.write(text),
    abandon: () => channel.close(),
    onData: (listener) => channel.on('data', listener),
    onEnd: (listener) => channel.once('close', listener),
  };
}

async function lookAtSftp(line: Line): Promise<LinkInspection['sftp']> {
  try {
    const channel = await opened(line, (client, done) => client.subsys('sftp', done));
    const hello = await heardFrom(line, channel);
    if (hello.noise === '' && !hello.whole) {
      return { failure: failure(line, 'SFTP_FAILED', 'the server ended at once').toRecord() };
    }
    const found = { noise: hello.noise, extensions: hello.extensions };
    if (hello.noise === '') return { found };
    const words = `text stands before its first packet: ${JSON.stringify(hello.noise.slice(0, 80))}`;
    return { found, failure: failure(line, 'SFTP_FAILED', words).toRecord() };
  } catch (error) {
    return { failure: toAppError(error).toRecord() };
  }
}

async function heardFrom(line: Line, channel: ClientChannel) {
  try {
    return await withDeadline(readHello(channel), OPEN_TIMEOUT_MS, () =>
      failure(line, 'SFTP_FAILED', `the server said nothing within ${OPEN_TIMEOUT_MS} ms`),
    );
  } finally {
    await closed(channel);
  }
}

function readHello(channel: ClientChannel): Promise<SftpHello & { whole: boolean }> {
  let bytes: Buffer = Buffer.alloc(0);
  return new Promise((resolve) => {
    channel.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const hello = readSftpHello(bytes);
      if (hello !== undefined) resolve({ ...hello, whole: true });
    });
    channel.stderr.resume();
    channel.once('close', () =>
      resolve({ noise: bytes.toString('utf8'), extensions: [], whole: false }),
    );
    channel.write(SFTP_INIT);
  });
}

/** Waits until the far side has let go of it too, which frees its place. */
async function closed(channel: ClientChannel): Promise<void> {
  const gone = new Promise<void>((resolve) => channel.once('close', () => resolve()));
  channel.close();
  await withDeadline(gone, CLOSE_TIMEOUT_MS, () => new Error('late')).catch(() => {});
}

/**
 * All are asked for in one go, so the host answers every request before the first of them can end.
 * The shell is open meanwhile and counts.
 */
async function countChannels(line: Line): Promise<{ open: number; limited: boolean }> {
  const asked = Array.from({ length: CHANNELS_MAX - 1 }, async () => {
    const channel = await opened(line, (client, done) => client.exec(':', done));
    channel.resume();
    channel.stderr.resume();
    return channel;
  });
  const answers = await Promise.allSettled(asked);
  const open = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const channel of open) channel.close();
  return { open: open.length + 1, limited: open.length < asked.length };
}

type Done = (error: Error | undefined, channel: ClientChannel) => void;

/** @throws SSH_CHANNEL_REFUSED SSH_CONNECTION_LOST */
async function opened(
  line: Line,
  ask: (client: Client, done: Done) => void,
): Promise<ClientChannel> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
  const gone = (): void => reject(new Error('Connection lost'));
  line.client.once('close', gone);
  try {
    ask(line.client, (error, channel) => (error ? reject(error) : resolve(channel)));
    const channel = await withDeadline(promise, OPEN_TIMEOUT_MS, () =>
      failure(line, 'SSH_CHANNEL_REFUSED', `no answer within ${OPEN_TIMEOUT_MS} ms`),
    );
    channel.on('error', () => {});
    return channel;
  } catch (error) {
    throw classifySsh(error, { what: 'a channel', context: line.context });
  } finally {
    line.client.off('close', gone);
  }
}

function failure(
  { context }: Line,
  code: 'SFTP_FAILED' | 'SSH_CHANNEL_REFUSED',
  words: string,
): AppError {
  const what = code === 'SFTP_FAILED' ? 'SFTP' : 'a channel';
  return new AppError(code, `${what} on host ${context['host']}: ${words}`, { context });
}
