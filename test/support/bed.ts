/** The test bed as tests see it: its hosts, its logs, its oracles. `scripts/testbed up` makes it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runInContainer } from './host-shells.ts';

export const REPO = join(import.meta.dirname, '../..');
export const BED = join(REPO, '.testbed');
/** A second bed beside the first has its own name and ports, as for scripts/testbed. */
export const BED_NAME = process.env['TOWLINE_BED_NAME'] ?? 'towline';
export const SSH_PORT = process.env['TOWLINE_BED_SSH_PORT'] ?? '2210';
export const REGISTRY_PORT = process.env['TOWLINE_BED_REGISTRY_PORT'] ?? '5010';
export const MINI = 'docker://registry:5000/mini:1';

/**
 * The hosts: vm; vm2 with all users and the sshds of tests; bastion; inner, reached through bastion; hpc and hpc2, the
 * login nodes of the cluster, which are there after `await hpc()` of slurm/cluster.ts.
 */
export type BedHost = 'vm' | 'vm2' | 'bastion' | 'inner' | 'hpc' | 'hpc2';
/** A machine of a test's own (faults/spare-host.ts). */
export type SpareName = `spare-${number}`;
/** The users of vm2 (test/bed/hosts/users says what each is like); elsewhere only alice logs in. */
export type BedUser =
  | 'alice'
  | 'bob'
  | `${'csh' | 'tcsh' | 'fish' | 'zsh'}_user`
  | `${'noisy' | 'slow' | 'exec' | 'exit'}_user`
  | `${'banner' | 'forced' | 'sftp' | 'nologin'}_user`
  | 'otto';

/** Ports on 127.0.0.1, as scripts/testbed gives them; inner has none. */
export const PORTS = {
  vm: Number(SSH_PORT),
  vm2: Number(SSH_PORT) + 2,
  bastion: Number(SSH_PORT) + 3,
  hpc: Number(SSH_PORT) + 4,
  hpc2: Number(SSH_PORT) + 5,
  /** For the sshds that tests start in vm2, both ends included. */
  sshdFirst: Number(SSH_PORT) + 10,
  sshdLast: Number(SSH_PORT) + 29,
  /** For the spare hosts of tests, both ends included. */
  spareFirst: Number(SSH_PORT) + 30,
  spareLast: Number(SSH_PORT) + 39,
} as const;

const key = (name: string): string => join(BED, 'keys', name);

/** Client keys by path. All hosts take `plain`, `encrypted`, `rsa`, `ecdsa` and the fourth of `agent`. */
export const KEYS = {
  plain: join(BED, 'id_ed25519'),
  unauthorised: join(BED, 'id_wrong'),
  encrypted: key('encrypted'),
  /** A file of mode 0600 with the passphrase of `encrypted`. */
  passphraseFile: key('passphrase'),
  rsa: key('rsa'),
  ecdsa: key('ecdsa'),
  agent: [1, 2, 3, 4, 5].map((number) => key(`agent_${number}`)),
} as const;

/** The values of a [host.NAME] section for a host of the bed, without `root` and image settings. */
export function hostSection(
  host: BedHost | SpareName,
  user: BedUser = 'alice',
): Record<string, string> {
  // the spare host itself gives all of it
  if (isSpare(host)) return {};
  const where: Record<string, string> =
    host === 'inner'
      ? { hostname: 'inner', port: '22', jump: 'bastion' }
      : { hostname: '127.0.0.1', port: String(PORTS[host]) };
  return {
    ...where,
    user,
    identity_file: KEYS.plain,
    known_hosts: join(BED, 'known_hosts'),
  };
}

export function isSpare(host: BedHost | SpareName): host is SpareName {
  return host.startsWith('spare-');
}

/** Fails with the next step when the bed is not there: no test may skip for lack of it. */
export function requireBed(): void {
  if (existsSync(join(BED, 'towline.ini'))) return;
  throw new Error('the test bed is not up: run scripts/testbed up');
}

const run = promisify(execFile);

/** Runs a command as root inside a host of the bed and gives its stdout. */
export async function onHost(host: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInContainer(`${BED_NAME}-${host}`, command);
  if (code === 0) return stdout;
  const message = `on ${host}: ${command.join(' ')} ended with ${code}: ${stderr}`;
  throw Object.assign(new Error(message), { code, stdout, stderr });
}

/** What `find` names below a directory while others may remove it: what goes under it is none of it. */
export async function found(host: string, root: string, ...tests: string[]): Promise<string[]> {
  const find = 'find "$@" 2>/dev/null || :';
  const names = await onHost(host, 'sh', '-c', find, 'sh', root, ...tests);
  return names.split('\n').filter((name) => name !== '');
}

/** The small image as a file that all users of a host can read; pulled once in the life of the host. */
export async function sharedSif(host: BedHost): Promise<string> {
  const file = '/srv/images/mini.sif';
  const pull = `[ -f "$0" ] || { mkdir -p "\${0%/*}" && apptainer -q pull --no-https "$0.$$" "$1" && mv "$0.$$" "$0"; }`;
  await onHost(host, 'sh', '-c', pull, file, MINI);
  return file;
}

/** Runs scripts/testbed with arguments. */
export async function testbed(...args: string[]): Promise<string> {
  const { stdout } = await run(join(REPO, 'scripts/testbed'), args);
  return stdout;
}

/** A log of the bed by name: sshd, sshd-vm2, sshd-bastion, sshd-inner, sshd-PORT, registry; slurmctld, slurmd-hpcn1. */
export function bedLog(name: string): string {
  return readFileSync(join(BED, 'log', `${name}.log`), 'utf8');
}
