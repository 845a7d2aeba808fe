/**
 * Sends scripts/setup-apptainer.sh to a host and runs it there. Whoever stops listening stops nothing:
 * a package manager is not to be ended in the middle.
 */
import { readFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { AppError, toAppError } from '../domain/failure.ts';
import type { RemoteProcess } from '../remote/host.ts';
import { hostSetupText } from '../script/host-setup.ts';
import { createFeed } from './doctor/feed.ts';
import type { SetupNews, SetupRequest } from './reports.ts';
import type { Seat } from './seats.ts';

/** The same path from here and from the parts of the build. */
const SCRIPT = new URL('../../scripts/setup-apptainer.sh', import.meta.url);

/** Resolves once it runs there. @throws SSH_* HOST_PAUSED HOST_COMMAND_TIMEOUT */
export async function runHostSetup(
  seat: Seat,
  request: SetupRequest,
): Promise<AsyncIterable<SetupNews>> {
  const { name, policy, host } = seat;
  const { runtime, setup } = policy;
  const script = await readFile(SCRIPT);
  const text = hostSetupText({ ...request, runtime, setup });
  const process = await host.openProcess(text, { purpose: `setup of host ${name}` });
  const feed = createFeed<SetupNews>();
  listen(process, { name, script, tell: feed.push }).then(feed.end, feed.fail);
  return feed;
}

interface Listening {
  name: string;
  script: Uint8Array;
  tell: (news: SetupNews) => void;
}

async function listen(process: RemoteProcess, { name, script, tell }: Listening): Promise<void> {
  let last = '';
  try {
    // A shell that ends before it has read all closes the pipe: its exit code says why.
    process.stdin.on('error', () => {});
    process.stdin.end(script);
    process.stderr.resume();
    const decoder = new StringDecoder('utf8');
    for await (const chunk of process.stdout) {
      const text = decoder.write(chunk as Buffer);
      last = lastLine(last + text);
      tell({ type: 'text', text });
    }
    const code = await process.ended;
    tell({ type: 'end', code, ...(code !== 0 && { failure: refused(name, last).toRecord() }) });
  } catch (error) {
    process.close();
    tell({ type: 'end', code: 255, failure: toAppError(error).toRecord() });
  }
}

const LINE_CHARS_MAX = 2_000;

/** The last line that is not empty, and what follows it so far. */
function lastLine(text: string): string {
  const cut = text.trimEnd().lastIndexOf('\n');
  return text.slice(cut + 1).slice(-LINE_CHARS_MAX);
}

function refused(host: string, last: string): AppError {
  const reason = last.trim().replace(/^setup-apptainer: /, '') || 'the script said nothing';
  return new AppError('HOST_SETUP_FAILED', `setup of host ${host}: ${reason}`, {
    context: { host },
  });
}
