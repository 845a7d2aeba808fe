/**
 * A look at the way to a host, with one login of its own through the ordinary door: strict host key,
 * login budget, one at a time. It never rejects: what fails is part of what was found, and what comes
 * after it was not looked at. Read next: login.ts (up to the login), channels.ts (what it carries).
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Client } from 'ssh2';
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

/** `tell` is called whenever a part is new; the same object grows. Of several nodes all are looked at, one closely. */
export async function inspectHost(
  nodes: readonly ConnectionDeps[],
  tell: (link: LinkInspection) => void,
): Promise<Inspection> {
  const link: LinkInspection = {};
  const note = (part: LinkInspection): void => {
    Object.assign(link, part);
    tell(link);
  };
  const { deps, client } = await approach(nodes, note);
  if (client === undefined) return over(link, deps);
  try {
    return open(link, await lookAtChannels(client, deps, note));
  } catch (error) {
    client.end();
    note({ shell: { failure: toAppError(error).toRecord() } });
    return over(link, deps);
  }
}

type Note = (part: LinkInspection) => void;
type Approach = { deps: ConnectionDeps; client: Client | undefined };

/** Up to the login on the first node that lets us in. */
async function approach(nodes: readonly ConnectionDeps[], note: Note): Promise<Approach> {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) {
    note({ nodes: { found: [] } });
    return { deps: only, client: await logInTo(only, note) };
  }
  const looks = await Promise.all(
    nodes.map(async (deps) => {
      const link: LinkInspection = {};
      const client = await logInTo(deps, (part) => Object.assign(link, part));
      return { deps, link, client };
    }),
  );
  const chosen =
    looks.find(({ client }) => client !== undefined) ?? (looks[0] as (typeof looks)[0]);
  for (const look of looks) if (look !== chosen) look.client?.end();
  const found = looks.map(({ deps: { door }, link }) => ({
    name: `${door.settings.hostname}:${door.settings.port}`,
    examined: link === chosen.link,
    failure: failureIn(link),
  }));
  note({ nodes: { found }, ...chosen.link });
  return chosen;
}

async function logInTo(deps: ConnectionDeps, note: Note): Promise<Client | undefined> {
  const { hostname, port, user, knownHostsFiles, hostKeyAlias: alias, jumps } = deps.door.settings;
  const ways = jumps.map(({ name }) => name);
  const place = { hostname, port, user, knownHostsFiles, jumps: ways };
  note({ place: { ...place, ...(alias !== undefined && { alias }) } });
  const resolution = await resolve(deps);
  note({ resolution });
  return resolution?.failure === undefined ? await lookAtLogin(deps, note) : undefined;
}

function failureIn({ resolution, tcp, banner, hostKey, auth }: LinkInspection) {
  return [resolution, tcp, banner, hostKey, auth].find((part) => part?.failure)?.failure;
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
