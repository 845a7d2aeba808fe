/**
 * A look at the way to a host, with one login of its own through the ordinary door: strict host key,
 * login budget, one at a time. It never rejects: what fails is part of what was found, and what comes
 * after it was not looked at. Read next: login.ts (up to the login), channels.ts (what it carries).
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AppError, toAppError } from '../../../domain/failure.ts';
import { classifySsh } from '../../classify.ts';
import type { RunOptions, RunResult } from '../../host.ts';
import type { Inspection, LinkInspection } from '../../inspection.ts';
import { withDeadline } from '../../settle.ts';
import { hostContext } from '../connect.ts';
import type { ConnectionDeps } from '../connection.ts';
import { type ChannelLook, lookAtChannels } from './channels.ts';
import { lookAtLogin } from './login.ts';

const RESOLVE_TIMEOUT_MS = 5_000;
const RUN_DEADLINE_MS = 15_000;

/** `tell` is called whenever a part is new; the same object grows. */
export async function inspectHost(
  deps: ConnectionDeps,
  tell: (link: LinkInspection) => void,
): Promise<Inspection> {
  const { settings } = deps.door;
  const { hostname, port, user, knownHostsFiles, hostKeyAlias: alias } = settings;
  const jumps = settings.jumps.map(({ name }) => name);
  const place = {
    hostname,
    port,
    user,
    knownHostsFiles,
    jumps,
    ...(alias !== undefined && { alias }),
  };
  const link: LinkInspection = { place };
  const note = (part: LinkInspection): void => {
    Object.assign(link, part);
    tell(link);
  };
  note({ resolution: await resolve(deps) });
  if (link.resolution?.failure !== undefined) return over(link, deps);
  const client = await lookAtLogin(deps, note);
  if (client === undefined) return over(link, deps);
  try {
    return open(link, await lookAtChannels(client, deps, note));
  } catch (error) {
    client.end();
    note({ shell: { failure: toAppError(error).toRecord() } });
    return over(link, deps);
  }
}

async function resolve({ door }: ConnectionDeps): Promise<LinkInspection['resolution']> {
  const { name, hostname, jumps } = door.settings;
  // The last jump host looks the name up, not this machine.
  if (jumps.length > 0) return { found: { addresses: [] } };
  if (isIP(hostname) !== 0) return { found: { addresses: [hostname] } };
  const context = hostContext(door.settings);
  const late = `host ${name}: no answer about ${hostname} within ${RESOLVE_TIMEOUT_MS} ms`;
  try {
    const found = await withDeadline(
      lookup(hostname, { all: true }),
      RESOLVE_TIMEOUT_MS,
      () => new AppError('SSH_HOST_NAME_UNKNOWN', late, { context }),
    );
    return { found: { addresses: found.map(({ address }) => address) } };
  } catch (error) {
    const failure = classifySsh(error, { what: `look up host ${name} (${hostname})`, context });
    return { failure: failure.toRecord() };
  }
}

function open(link: LinkInspection, channels: ChannelLook): Inspection {
  return {
    link,
    run: (script: string, { purpose, deadlineMs = RUN_DEADLINE_MS, signal }: RunOptions) =>
      channels.shell.run(script, { purpose, deadlineMs, signal }),
    close: channels.close,
  };
}

function over(link: LinkInspection, { door }: ConnectionDeps): Inspection {
  const error = new AppError('HOST_CALL_ABORTED', `host ${door.settings.name} gave no shell`, {
    context: hostContext(door.settings),
  });
  const run = (): Promise<RunResult> => Promise.reject(error);
  return { link, run, close: () => {} };
}
