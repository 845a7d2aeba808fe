/** Defaults that depend on the machine, the user or the environment. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
}

/** A value that no file sets, and where it was found instead. */
export interface Found {
  value: unknown;
  source: string;
}

/** The section being filled: rows above this one already have their value. */
interface Filling {
  name: string;
  values: Readonly<Record<string, unknown>>;
}

type Compute = (around: Surroundings, section: Filling) => Found;

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** By `section.key` of the table; every row that says `computed` has its function here (a test holds it). */
export const COMPUTED: Readonly<Record<string, Compute>> = {
  'daemon.state_dir': (around) => defaultStateDir(around),
  'daemon.socket': (around, { values }) => defaultSocket(around, String(values['stateDir'])),
  'host.NAME.hostname': (_, { name }) => byDefault([name]),
  'host.NAME.user': ({ env }) => byDefault(currentUser(env)),
  'host.NAME.identity_file': ({ home }) =>
    byDefault(
      DEFAULT_KEYS.map((name) => join(home, '.ssh', name)).filter((path) => existsSync(path)),
    ),
  'host.NAME.max_tasks': (_, { values }) => byDefault(values['scheduler'] === 'slurm' ? 1_000 : 8),
  'host.NAME.tags': () => byDefault([]),
  'host.NAME.identity_agent': ({ env }) => {
    const value = absolute(env['SSH_AUTH_SOCK']);
    return { value, source: value === undefined ? 'default' : '$SSH_AUTH_SOCK' };
  },
  'host.NAME.passphrase_file': ({ env }, { name }) => {
    const directory = absolute(env['CREDENTIALS_DIRECTORY']);
    const value = directory && join(directory, `towline.${name}.passphrase`);
    if (value === undefined || !existsSync(value)) return byDefault(undefined);
    return { value, source: '$CREDENTIALS_DIRECTORY' };
  },
  'host.NAME.jump': () => byDefault([]),
  // Not asked in fact: resolve-hosts.ts hands on what [defaults] says.
  'host.NAME.ssh_config': () => byDefault([]),
  'host.NAME.runtime_args': () => byDefault([]),
  'host.NAME.insecure_registries': () => byDefault([]),
  'host.NAME.sbatch_args': () => byDefault([]),
};

/** Where the state is when [daemon] state_dir is not set. */
export function defaultStateDir({ env, home }: Surroundings): { value: string; source: string } {
  // systemd separates several directories by colons; ours is the first.
  const given = absolute(env['STATE_DIRECTORY']?.split(':')[0]);
  if (given !== undefined) return { value: given, source: '$STATE_DIRECTORY' };
  return { value: join(home, '.local/state/towline'), source: 'default' };
}

/** Where the socket is when [daemon] socket is not set. */
export function defaultSocket(
  { env }: Surroundings,
  stateDir: string,
): { value: string; source: string } {
  const runtime = absolute(env['RUNTIME_DIRECTORY']?.split(':')[0]);
  if (runtime !== undefined)
    return { value: join(runtime, 'towline.sock'), source: '$RUNTIME_DIRECTORY' };
  const session = absolute(env['XDG_RUNTIME_DIR']);
  if (session !== undefined)
    return { value: join(session, 'towline/towline.sock'), source: '$XDG_RUNTIME_DIR' };
  return { value: join(stateDir, 'towline.sock'), source: 'default' };
}

/** The name of the user who runs this; containers may have users that no list knows. */
export function currentUser(env: Surroundings['env']): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? '';
  }
}

function byDefault(value: unknown): Found {
  return { value, source: 'default' };
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
