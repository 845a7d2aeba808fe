/**
 * A machine of a test's own: one more container from the image of the bed's hosts, for faults that hit a
 * whole machine. It ends with the test; what a killed test run leaves is removed by the next one that
 * wants a spare host, or by `scripts/testbed down`.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BED, BED_NAME, KEYS, PORTS, requireBed, type SpareName, sharedSif } from '../bed.ts';
import { until } from '../until.ts';

const run = promisify(execFile);

const LABEL = 'io.towline.spare';
/** The network of the bed, by which the registry is reached. */
const NETWORK = `${BED_NAME}-bed_bed`;
const IMAGES = join(BED, 'spare', 'images');
const IMAGE = '/srv/images/mini.sif';
const READY_MS = 30_000;

/** Runs before the host's own entrypoint at each start: who this machine is, and what a test wants at boot. */
const BOOT = `#!/bin/bash
set -euo pipefail
if [ -s /bed/boot-id ]; then mount --bind /bed/boot-id /proc/sys/kernel/random/boot_id; fi
if [ -s /bed/hostname ]; then hostname "$(cat /bed/hostname)"; fi
if [ -s /bed/at-boot ]; then sh /bed/at-boot; fi
exec /usr/local/sbin/vm-entrypoint
`;

export interface SpareOptions {
  /** As for docker: 64m. A payload beyond it is killed by the kernel. Default: no limit. */
  memory?: string;
  /** All users of vm2 instead of alice alone. */
  allUsers?: boolean;
  /** So many process numbers, so that they come round again soon; the first 300 are not used twice. */
  pidMax?: number;
  /** Shell text that root runs at each boot before sshd: mounts that are to survive a reboot. */
  atBoot?: string;
  /** Starts with the machine id, and so on, of another one: a clone. */
  identity?: Partial<Identity>;
  /** The homes are those of this one, as on the machines of a cluster. */
  homes?: SpareHost;
}

/** What tells machines apart. All of it is kept over reboots but the boot id. */
export interface Identity {
  machineId: string;
  hostname: string;
  bootId: string;
}

/** Options of a small file system. */
export interface DiskOptions {
  /** Bytes, with a unit of mount(8): 2m. */
  size?: string;
  inodes?: number;
  /** noexec, ro; more words of mount(8). */
  flags?: string[];
}

export interface SpareHost extends AsyncDisposable {
  /** For makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } }) and for onHost(). */
  readonly name: SpareName;
  /** On 127.0.0.1; the same for the whole life, also over reboots. */
  readonly port: number;
  /** The known_hosts file that pins its key. */
  readonly knownHosts: string;
  /** The small image as a file on it: nothing has to be pulled. */
  readonly image: string;
  /** hostname, port and keys of a [host.NAME] section; it may be logged in to as often as a test wants. */
  readonly keys: Record<string, string>;
  readonly identity: Readonly<Identity>;
  /** Runs shell text as root and gives its stdout. @throws with its stderr */
  sh(text: string, ...args: string[]): Promise<string>;
  /** The same as a user, with the login's environment. */
  as(user: string, text: string): Promise<string>;
  /** All processes stand still, as in a machine that hangs. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Its network is away: connections get no answer, or a reset. */
  disconnect(): Promise<void>;
  connect(): Promise<void>;
  /** Everything ends at once, as without power; disks stay. */
  powerOff(): Promise<void>;
  /** Starts it again with another boot id, and with what `change` says; waits for sshd. */
  powerOn(change?: Partial<Identity>): Promise<void>;
  /** Both: what a crash or a reboot is to those who look from outside. */
  reboot(change?: Partial<Identity>): Promise<void>;
  /** A small disk (a tmpfs that belongs to alice), made where `path` says; gone with a reboot. */
  disk(path: string, options: DiskOptions): Promise<void>;
  /** Takes the disk away under open files, and leaves what is below the mount point. */
  unmount(path: string): Promise<void>;
}

/** Starts one and waits for its sshd. */
export async function startSpareHost(options: SpareOptions = {}): Promise<SpareHost> {
  requireBed();
  await removeOrphans();
  await fetchImage();
  const port = await takePort(options);
  const name: SpareName = `spare-${port}`;
  const container = `${BED_NAME}-${name}`;
  const directory = directoryOf(port);
  const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout;
  const identity: Identity = {
    machineId: readFileSync(join(directory, 'machine-id'), 'utf8').trim(),
    hostname: options.identity?.hostname ?? name,
    bootId: options.identity?.bootId ?? crypto.randomUUID(),
  };
  const knownHosts = join(directory, 'known_hosts');

  function become(change: Partial<Identity>): void {
    Object.assign(identity, change);
    writeFileSync(join(directory, 'machine-id'), `${identity.machineId}\n`);
    writeFileSync(join(directory, 'hostname'), `${identity.hostname}\n`);
    writeFileSync(join(directory, 'boot-id'), `${identity.bootId}\n`);
  }

  const spare: SpareHost = {
    name,
    port,
    image: IMAGE,
    knownHosts,
    identity,
    keys: {
      ...{ hostname: '127.0.0.1', port: String(port), user: 'alice' },
      ...{ identity_file: KEYS.plain, known_hosts: knownHosts, login_burst: '1000' },
    },
    sh: (text, ...args) => docker('exec', container, 'sh', '-c', text, 'sh', ...args),
    as: (user, text) => docker('exec', container, 'su', '-', user, '-c', text),
    pause: async () => void (await docker('pause', container)),
    unpause: async () => void (await docker('unpause', container)),
    disconnect: async () => void (await docker('network', 'disconnect', NETWORK, container)),
    connect: async () => void (await docker('network', 'connect', NETWORK, container)),
    powerOff: async () => void (await docker('kill', container)),
    async powerOn(change = {}) {
      become({ bootId: crypto.randomUUID(), ...change });
      await docker('start', container);
      await up();
    },
    async reboot(change) {
      await spare.powerOff();
      await spare.powerOn(change);
    },
    async disk(path, { size = '8m', inodes, flags = [] }) {
      const words = [`size=${size}`, 'uid=1000,gid=1000,mode=700', ...flags];
      if (inodes !== undefined) words.push(`nr_inodes=${inodes}`);
      const text = 'mkdir -p "$2" && mount -t tmpfs -o "$1" tmpfs "$2"';
      await spare.sh(text, words.join(','), path);
    },
    unmount: async (path) => void (await spare.sh('umount -l "$1"', path)),
    [Symbol.asyncDispose]: () => remove(port),
  };

  async function up(): Promise<void> {
    await until(
      () => greets(port),
      () => `sshd of ${container}`,
      READY_MS,
    );
    // a namespace's own limit; only a /proc that is not read-only takes it
    if (options.pidMax === undefined) return;
    await spare.sh('echo "$1" >/run/fullproc/sys/kernel/pid_max', String(options.pidMax));
  }

  try {
    become({ ...options.identity });
    await docker('start', container);
    await up();
  } catch (error) {
    await remove(port);
    throw error;
  }
  return spare;
}

const directoryOf = (port: number): string => join(BED, 'spare', String(port));

/** From vm, once in the life of the bed. */
async function fetchImage(): Promise<void> {
  const file = join(IMAGES, 'mini.sif');
  if (existsSync(file)) return;
  mkdirSync(IMAGES, { recursive: true });
  const source = `${BED_NAME}-vm:${await sharedSif('vm')}`;
  await run('docker', ['cp', source, `${file}.${process.pid}`]);
  renameSync(`${file}.${process.pid}`, file);
}

/** The name of the container is the lock: two test files at once never share a port. */
async function takePort(options: SpareOptions): Promise<number> {
  const count = PORTS.spareLast - PORTS.spareFirst + 1;
  const offset = process.pid % count;
  let last: unknown;
  for (let tried = 0; tried < count; tried += 1) {
    const port = PORTS.spareFirst + ((offset + tried) % count);
    if (!(await isFree(port))) continue;
    try {
      await create(port, options);
      return port;
    } catch (error) {
      last = error;
    }
  }
  throw new Error('no spare host can be made', { cause: last });
}

/** Another program may be there: a second bed, for one. */
function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function create(port: number, options: SpareOptions): Promise<void> {
  const { stdout } = await run('docker', ['inspect', '-f', '{{.Config.Image}}', `${BED_NAME}-vm`]);
  const directory = directoryOf(port);
  const memory = options.memory === undefined ? [] : ['--memory', options.memory];
  await run('docker', [
    ...['create', '--name', `${BED_NAME}-spare-${port}`, '--hostname', `spare-${port}`],
    ...['--label', `io.towline.bed=${BED}`, '--label', `${LABEL}=${owner(process.pid)}`],
    ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'NET_ADMIN', '--device', '/dev/fuse'],
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--network', NETWORK, '--publish', `127.0.0.1:${port}:22`, ...memory],
    // not in the container's own layers: what Apptainer mounts wants no overlay below it
    ...['--volume', `${join(directoryOf(options.homes?.port ?? port), 'home')}:/home`],
    ...['--volume', `${directory}:/bed:ro`, '--volume', `${IMAGES}:/srv/images:ro`],
    ...[
      '--volume',
      `${join(BED, 'ledger')}:/ledger`,
      '--volume',
      `${join(BED, 'log')}:/var/log/bed`,
    ],
    ...['--env', `BED_LOG=sshd-spare-${port}.log`],
    ...['--env', `BED_USERS=${options.allUsers === true ? 'all' : 'alice'}`],
    ...['--entrypoint', '/usr/bin/tini', stdout.trim(), '--', '/bin/bash', '/bed/boot'],
  ]);
  await furnish(directory, port, options);
}

/** What the container reads at /bed: who it is. */
async function furnish(directory: string, port: number, options: SpareOptions): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'home'), { recursive: true });
  const key = join(directory, 'ssh_host_ed25519_key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'towline-test-spare', '-f', key]);
  const [type, text] = readFileSync(`${key}.pub`, 'utf8').split(' ');
  const machineId = options.identity?.machineId ?? crypto.randomUUID().replaceAll('-', '');
  const files: Record<string, string> = {
    known_hosts: `[127.0.0.1]:${port} ${type} ${text}\n`,
    authorized_keys: readFileSync(join(BED, 'vm', 'authorized_keys'), 'utf8'),
    'machine-id': `${machineId}\n`,
    'at-boot': options.atBoot ?? '',
    boot: BOOT,
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), content);
}

async function remove(port: number): Promise<void> {
  const gone = await run('docker', ['rm', '-fv', `${BED_NAME}-spare-${port}`]).catch(() => {});
  if (gone !== undefined) rmSync(directoryOf(port), { recursive: true, force: true });
}

/** A test that was killed removes nothing: those of test runs that are over go now. */
async function removeOrphans(): Promise<void> {
  const format = `{{.Names}} {{.Label "${LABEL}"}}`;
  const { stdout } = await run('docker', [
    ...['ps', '-a', '--filter', `label=${LABEL}`, '--filter', `label=io.towline.bed=${BED}`],
    ...['--format', format],
  ]);
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [name = '', label = ''] = line.split(' ');
    const pid = Number(label.split('.')[0]);
    if (owner(pid) !== label) await remove(Number(name.slice(name.lastIndexOf('-') + 1)));
  }
}

/** `<pid>.<start>`: a number alone may be another process by now. */
function owner(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${pid}.${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return 'gone';
  }
}

/** True when sshd says its first words: the engine's own proxy answers before there is anyone behind it. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1').startsWith('SSH-'));
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(false));
  });
}
