/**
 * A submit host of its own: a container in which a real systemd is PID 1 and Towline is installed as an
 * administrator would, on the bed's network, with alice's keys for `vm` in her ~/.ssh. Tests start the
 * units in it. It ends with dispose, its cgroup too.
 *
 * There is no logind and no D-Bus in it: alice's own systemd is started by the system's, and gets the
 * directory from it that logind would make.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BED, BED_NAME, onHost, REPO, requireBed } from './bed.ts';
import { until } from './until.ts';

const run = promisify(execFile);

export interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface SubmitMachine extends AsyncDisposable {
  /** A script by /bin/sh, as root. */
  root(script: string): Promise<Said>;
  /** A script by /bin/sh in alice's home, with the environment of her own systemd. */
  alice(script: string): Promise<Said>;
  /** Starts one of alice's and leaves it running. */
  spawn(script: string): ReturnType<typeof spawn>;
  journal(): Promise<string>;
}

/**
 * systemd needs a cgroup2 tree of its own at /sys/fs/cgroup. An engine on cgroup v1 gives none, so the
 * container makes itself a place in the machine's; and Apptainer needs a whole /proc somewhere.
 */
const ENTRY = `
set -eu
mkdir -p /run/cgroup
mount -t cgroup2 none /run/cgroup
if grep -qx 0::/ /proc/self/cgroup; then
  mkdir -p "/run/cgroup/$TOWLINE_CGROUP"
  echo $$ >"/run/cgroup/$TOWLINE_CGROUP/cgroup.procs"
fi
exec unshare --cgroup sh -c '
umount /run/cgroup
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/fullproc
mount -t proc proc /run/fullproc
chmod 0666 /dev/fuse
exec /lib/systemd/systemd --log-level=warning'
`;

const REMOVE_CGROUP = `
mount -t cgroup2 none /mnt
[ ! -d "/mnt/$TOWLINE_CGROUP" ] || find "/mnt/$TOWLINE_CGROUP" -depth -type d -exec rmdir {} +
`;

const RIGHTS = [
  '--cap-add=SYS_ADMIN',
  '--device=/dev/fuse',
  '--security-opt=seccomp:unconfined',
  '--security-opt=apparmor:unconfined',
];

/** What an administrator does, once, and what the bed adds: a key, a pinned host key, a configuration. */
const INSTALL = `
set -eu
printf '#!/bin/sh\\nexec /opt/node/node /opt/towline/dist/main.js "$@"\\n' >/usr/local/bin/towline
chmod 0755 /usr/local/bin/towline
cp /opt/towline/config/towline@.service /etc/systemd/system/
mkdir -p /etc/systemd/system/user-runtime-dir@.service.d /etc/systemd/system/user@.service.d
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/install -d -m 0700 -o %%i -g %%i /run/user/%%i\\nExecStop=\\n' \\
  >/etc/systemd/system/user-runtime-dir@.service.d/no-logind.conf
printf '[Service]\\nPAMName=\\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\\n' >/etc/systemd/system/user@.service.d/no-logind.conf
systemctl mask --now docker-registry.service ssh.service
systemctl daemon-reload
`;

const ALICE = `
set -eu
umask 077
mkdir -p ~/.ssh ~/.config/towline ~/.config/systemd/user
cat >~/.ssh/id_ed25519
`;

const CONFIG = `
[defaults]
host = vm
stop_grace = 2s
[host.vm]
hostname = vm
user = alice
root = ~/t/units-$$
insecure_registries = registry:5000
image_cache_dir = ~/test-images
`;

/** Makes one and waits until its systemd answers. The build must be there: the units run dist/. */
export async function startSubmitMachine(): Promise<SubmitMachine> {
  requireBed();
  const name = `${BED_NAME}-submit-${process.pid}`;
  const { image, network } = await bedParts();
  const cgroup = ['-e', `TOWLINE_CGROUP=${name}`];
  await docker(
    ...['run', '-d', '--name', name, '--hostname', 'submit', '--network', network, ...RIGHTS],
    ...['--tmpfs=/run:exec', '--tmpfs=/tmp:exec', '-e', 'container=docker', ...cgroup],
    ...['-v', `${REPO}:/opt/towline:ro`, '-v', `${dirname(process.execPath)}:/opt/node:ro`],
    ...['--label', `io.towline.bed=${BED}`, '--entrypoint', '/bin/sh', image, '-c', ENTRY],
  );
  const say = (user: string, script: string, input = ''): Promise<Said> =>
    said(spawn('docker', inside(name, user, script)), input);
  const machine: SubmitMachine = {
    root: (script) => say('root', script),
    alice: (script) => say('alice', script),
    spawn: (script) => spawn('docker', inside(name, 'alice', script)),
    journal: async () => (await say('root', 'journalctl --no-pager -o cat')).stdout,
    async [Symbol.asyncDispose]() {
      await docker('rm', '-f', name);
      await onHost('vm', 'rm', '-rf', `/home/alice/t/units-${process.pid}`);
      await docker(
        'run',
        '--rm',
        ...RIGHTS,
        ...cgroup,
        '--entrypoint=/bin/sh',
        image,
        '-c',
        REMOVE_CGROUP,
      );
    },
  };
  try {
    await carryLibraries(name);
    await until(async () => (await machine.root('systemctl list-units >/dev/null')).code === 0);
    await mustSay(machine.root(INSTALL));
    await mustSay(say('alice', ALICE, readFileSync(join(BED, 'id_ed25519'), 'utf8')));
    await mustSay(
      say('alice', 'cat >~/.config/towline/towline.ini', CONFIG.replace('$$', String(process.pid))),
    );
    await mustSay(say('alice', 'umask 077; cat >~/.ssh/known_hosts', pinOfVm()));
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
  return machine;
}

/** The image and the network of the bed's vm. */
async function bedParts(): Promise<{ image: string; network: string }> {
  const format =
    '{{.Config.Image}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}';
  const [image = '', network = ''] = (await docker('inspect', '-f', format, `${BED_NAME}-vm`))
    .trim()
    .split(' ');
  return { image, network };
}

/** Node comes from outside, and may want libraries that the image of the hosts has no need of. */
async function carryLibraries(name: string): Promise<void> {
  const { stdout } = await run('ldd', [process.execPath]);
  const [, atomic] = /libatomic\S* => (\S+)/.exec(stdout) ?? [];
  if (atomic !== undefined) await docker('cp', '-L', atomic, `${name}:/usr/lib/x86_64-linux-gnu/`);
}

/** The bed pins its hosts by their ports here; on its own network vm has its name and port 22. */
function pinOfVm(): string {
  const [line = ''] = readFileSync(join(BED, 'known_hosts'), 'utf8').split('\n');
  return `vm ${line.split(' ').slice(1).join(' ')}\n`;
}

function inside(name: string, user: string, script: string): string[] {
  const environment =
    user === 'alice' ? ['-e', 'XDG_RUNTIME_DIR=/run/user/1000', '-w', '/home/alice'] : [];
  return ['exec', '-i', '-u', user, ...environment, name, '/bin/sh', '-c', script];
}

async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args)).stdout;
}

function said(child: ReturnType<typeof spawn>, input: string): Promise<Said> {
  const heard = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (heard.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (heard.stderr += chunk.toString()));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...heard })));
}

async function mustSay(saying: Promise<Said>): Promise<void> {
  const { code, stderr } = await saying;
  if (code !== 0) throw new Error(`the submit machine could not be set up: ${stderr}`);
}
