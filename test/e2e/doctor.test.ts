/**
 * Goal: whatever is wrong with a host, doctor finds it, names its cause and says what mends it; and that
 * mends it. Method: a host of the bed is broken in one way at a time; what doctor tells to do is done as
 * written (a command is run, a line goes into the section), and doctor must find the same thing well.
 * Fakes, each named where it is: `unshare`, since user namespaces cannot be switched off inside the bed; `stat`,
 * since there is no network file system; `nvidia-smi` and `modprobe`, since there is no GPU.
 */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import { BED, type BedUser, hostSection, KEYS, onHost, sharedSif } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { until } from '../support/until.ts';

/** A user of vm2 that only this test has, made as any other. */
const PATIENT = 'patient';
/** Logged in or not: one that an earlier run has left is as that run spoilt it. */
const REMOVE_PATIENT = `pkill -KILL -u ${PATIENT}; userdel --force --remove ${PATIENT}; rm -rf /home/${PATIENT}; true`;
const HOME = `/home/${PATIENT}`;
/** A file system of this test's own, made by the test that needs one. */
const DISK = '/mnt/patient';

interface Answer {
  failures: number;
  warnings: number;
  findings: Finding[];
}

interface Trouble {
  /** The finding it must be, and how bad that is. */
  id: string;
  level?: 'warning';
  /** Values of the section that are wrong, or that lead to what is. */
  section?: () => Record<string, string> | Promise<Record<string, string>>;
  /** Breaks it, as root on the host. */
  spoil?: string;
  cause?: RegExp;
  /** `how: text`, as told. */
  remedy: string | RegExp;
  /** Does what words ask for, or answers what only a person knows. */
  byHand?: (text: string) => string | Promise<string>;
  /** Takes back what the remedy does not, as root on the host. */
  after?: string;
}

let daemon: TestDaemon;
let sshd: Sshd;
let further: Sshd | undefined;
let base: Record<string, string>;
const sections = new Map<string, Record<string, string>>();

const asRoot = (script: string): Promise<string> => onHost('vm2', 'sh', '-c', script);
const run = promisify(execFile);

beforeAll(async () => {
  // Its own sshd: refused keys must not count against the address of the other tests.
  [sshd] = await Promise.all([startSshd({ lines: ['PerSourcePenalties no'] }), makePatient()]);
  daemon = makeDaemon({ hosts: { unused: { on: 'vm2', user: 'bob' } } });
  base = {
    ...hostSection('vm2', 'bob'),
    user: PATIENT,
    port: String(sshd.port),
    known_hosts: own('known_hosts', sshd.knownHosts),
    // As after the first pull: the image is there, and its record.
    image_cache_dir: '/srv/doctor-images',
    // All sections are the same account, which has one budget: it is not what is looked at here.
    login_burst: '200',
  };
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await sshd.stop();
  await further?.stop();
  await asRoot(`umount ${DISK}; rm -rf ${DISK} /srv/doctor-images; ${REMOVE_PATIENT}`);
});

async function makePatient(): Promise<void> {
  const sif = await sharedSif('vm2');
  await asRoot(REMOVE_PATIENT);
  await asRoot(`set -e
    useradd --create-home --shell /bin/bash ${PATIENT}
    install -d -o ${PATIENT} -m 700 ${HOME}/.ssh
    install -o ${PATIENT} -m 600 /bed/authorized_keys ${HOME}/.ssh/authorized_keys
    mkdir -p /srv/doctor-images ${DISK}
    ln -sf ${sif} /srv/doctor-images/mini.sif
    echo '{"format":1}' >/srv/doctor-images/mini.json`);
}

/** A file of this test beside the configuration. */
function own(name: string, text: string): string {
  const path = join(daemon.dir, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function ownKey(name: string, from: string, mode: number): string {
  const path = join(daemon.dir, name);
  copyFileSync(from, path);
  chmodSync(path, mode);
  return path;
}

/** Writes the section and waits until the daemon goes by it. */
async function configure(host: string, values: Record<string, string>): Promise<void> {
  sections.set(host, { ...sections.get(host), ...values });
  const text = readFileSync(daemon.configFile, 'utf8').split('\n# of this test\n', 1)[0] ?? '';
  const lines = [...sections].flatMap(([name, keys]) => [
    `[host.${name}]`,
    ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`),
  ]);
  writeFileSync(daemon.configFile, [text, '# of this test', ...lines, ''].join('\n'));
  const reloads = (): number => daemon.log().split('"configuration reloaded"').length;
  const before = reloads();
  process.kill(daemon.pid(), 'SIGHUP');
  await until(
    () => reloads() > before,
    () => daemon.log().slice(-500),
  );
}

async function doctor(host: string): Promise<Answer> {
  const ran = await daemon.cli('host', 'doctor', host, '--json');
  expect(ran.stderr).toBe('');
  const answer = JSON.parse(ran.stdout) as Answer;
  expect(ran.code).toBe(answer.failures > 0 ? 3 : 0);
  return answer;
}

/** Does what the remedy says. */
async function apply(host: string, { how, text }: NonNullable<Finding['remedy']>): Promise<void> {
  // Some commands tell of trouble that is the bed's (no logind): what counts is what doctor finds then.
  const tolerant = (script: string): string => `{ ${script}; } || true`;
  if (how === 'here') await applyHere(text);
  if (how === 'host') await onHost('vm2', 'su', '-s', '/bin/sh', PATIENT, '-c', `cd; ${text}`);
  if (how === 'root') await asRoot(tolerant(text));
  if (how !== 'ini') return;
  const [key = '', value = ''] = text.split(/ = (.*)/s);
  await configure(host, { [key]: value });
}

/** Whoever trusts a key has compared its fingerprint; here with the one the host offers. */
async function applyHere(text: string): Promise<void> {
  for (const command of text.split(' && ')) {
    const trusts = /^towline host trust (\S+)$/.exec(command)?.[1];
    if (trusts === undefined) {
      await run('sh', ['-c', command]);
      continue;
    }
    const offer = await daemon.cli('host', 'trust', trusts, '--json');
    const { keys } = JSON.parse(offer.stdout) as { keys: { fingerprint: string }[] };
    const known = keys.flatMap(({ fingerprint }) => ['--fingerprint', fingerprint]);
    const ran = await daemon.cli('host', 'trust', trusts, ...known);
    expect(ran.code, ran.stderr).toBe(0);
  }
}

const TROUBLES: Record<string, Trouble> = {
  'a name that nobody knows': {
    id: 'name',
    section: () => ({ hostname: 'no-such-host.invalid' }),
    remedy: 'ini: hostname = NAME_OR_ADDRESS',
    byHand: (text) => text.replace('NAME_OR_ADDRESS', '127.0.0.1'),
  },
  'a port where nothing listens': {
    id: 'port',
    section: () => ({ port: '1' }),
    cause: /nothing listens on port 1/,
    remedy: 'ini: port = NUMBER',
    byHand: (text) => text.replace('NUMBER', String(sshd.port)),
  },
  'a port with another service': {
    id: 'server',
    section: async () => ({ port: await otherService() }),
    cause: /no SSH server: HTTP\/1\.1 400 Bad Request/,
    remedy: 'ini: port = NUMBER',
    byHand: (text) => text.replace('NUMBER', String(sshd.port)),
  },
  'a host key nobody has pinned': {
    id: 'host-key',
    // A name of its own there: what is trusted for this section is not known to the others.
    section: () => ({ known_hosts: own('known hosts none', ''), host_key_alias: 'nobody-knows' }),
    remedy: /^here: towline host trust \S+$/,
  },
  'a host key that changed': {
    id: 'host-key',
    section: () => ({
      known_hosts: own('known_hosts_changed', changedKey('changed-it')),
      host_key_alias: 'changed-it',
    }),
    cause: /ask the site why/,
    remedy:
      /^here: ssh-keygen -R 'changed-it' -f '.*known_hosts_changed' && towline host trust \S+$/,
  },
  'a key that is not authorized': {
    id: 'login',
    section: () => ({ identity_file: KEYS.unauthorised }),
    remedy:
      /^host: mkdir -p -m 700 ~\/\.ssh && echo 'ssh-ed25519 \S+.*' >> ~\/\.ssh\/authorized_keys/,
  },
  'a key file that others can read': {
    id: 'login',
    section: () => ({ identity_file: ownKey('open_key', KEYS.plain, 0o644) }),
    cause: /others can read/,
    remedy: /^here: chmod 600 '.*open_key'$/,
  },
  'a key without its passphrase': {
    id: 'login',
    section: () => ({ identity_file: ownKey('locked_key', KEYS.encrypted, 0o600) }),
    cause: /encrypted/,
    remedy: 'ini: passphrase_file = FILE_WITH_THE_PASSPHRASE',
    byHand: (text) => text.replace('FILE_WITH_THE_PASSPHRASE', KEYS.passphraseFile),
  },
  'a login shell that lets nobody in': {
    id: 'shell',
    spoil: `usermod --shell /usr/sbin/nologin ${PATIENT}`,
    cause: /lets nobody in; it says: This account is currently not available/,
    remedy: `root: usermod --shell /bin/sh '${PATIENT}'`,
    after: `usermod --shell /bin/bash ${PATIENT}`,
  },
  'a forced command': {
    id: 'shell',
    spoil: `sed -i 's/^ssh-/command="echo only sums here" ssh-/' ${HOME}/.ssh/authorized_keys`,
    cause: /forced command.*it says: only sums here/,
    remedy: /^words: remove .*command="…" from ~\/\.ssh\/authorized_keys/,
    byHand: () => asRoot(`sed -i 's/^command="[^"]*" //' ${HOME}/.ssh/authorized_keys`),
  },
  'a .bashrc that prints': {
    id: 'noise',
    spoil: `sed -i '1i echo "hello from $HOSTNAME"' ${HOME}/.bashrc`,
    cause: new RegExp(`^${HOME}/\\.bashrc prints without a terminal, line 1:echo "hello`),
    remedy: `host: sed -i '1i case $- in *i*) ;; *) return ;; esac' '${HOME}/.bashrc'`,
  },
  'a .bashrc that starts another shell': {
    id: 'shell',
    spoil: `sed -i '1i exec /bin/zsh' ${HOME}/.bashrc`,
    cause: /^~\/\.bashrc starts zsh \(exec\)/,
    remedy: "host: sed -i '1i case $- in *i*) ;; *) return ;; esac' ~/.bashrc",
  },
  'one channel at a time': {
    id: 'channels',
    level: 'warning',
    section: () => furtherSshd('MaxSessions 1'),
    cause: /MaxSessions 1 in sshd_config/,
    remedy: /^words: set MaxSessions 10 in \/etc\/ssh\/sshd_config/,
    byHand: async (text) => {
      await furtherSshd(/set (.*) in/.exec(text)?.[1] ?? '');
      return '';
    },
  },
  'no SFTP': {
    id: 'sftp',
    section: () => furtherSshd('Subsystem sftp /bin/false'),
    remedy: /^words: set Subsystem sftp internal-sftp in /,
    byHand: async (text) => {
      await furtherSshd(/set (.*) in/.exec(text)?.[1] ?? '');
      return '';
    },
  },
  'a root that others can write': {
    id: 'root',
    section: () => ({ root: `${HOME}/open` }),
    spoil: `install -d -o ${PATIENT} -m 777 ${HOME}/open`,
    remedy: `host: chmod 700 '${HOME}/open'`,
  },
  'a root that is a link': {
    id: 'root',
    section: () => ({ root: `${HOME}/link` }),
    spoil: `install -d -o ${PATIENT} -m 700 ${HOME}/target && ln -s target ${HOME}/link`,
    remedy: `ini: root = ${HOME}/target`,
  },
  'a root of somebody else': {
    id: 'root',
    section: () => ({ root: '/srv/images' }),
    cause: /./,
    remedy: 'ini: root = ~/.towline',
  },
  'a root with things of others': {
    id: 'root',
    section: () => ({ root: `${HOME}/papers` }),
    spoil: `install -d -o ${PATIENT} -m 700 ${HOME}/papers && touch ${HOME}/papers/thesis`,
    remedy: `ini: root = ${HOME}/papers/towline`,
  },
  'a disk that is full': {
    id: 'space',
    section: () => ({ root: `${DISK}/towline` }),
    spoil: `mount -t tmpfs -o size=64m,uid=$(id -u ${PATIENT}),mode=755 none ${DISK}; dd if=/dev/zero of=${DISK}/fill bs=1M 2>/dev/null; true`,
    cause: /full or too small/,
    remedy: 'ini: root = ~/.towline',
    after: `umount ${DISK}`,
  },
  'a disk without inodes': {
    id: 'space',
    section: () => ({ root: `${DISK}/towline` }),
    spoil: `mount -t tmpfs -o size=64m,nr_inodes=8,uid=$(id -u ${PATIENT}),mode=755 none ${DISK}; touch ${DISK}/1 ${DISK}/2 ${DISK}/3 ${DISK}/4 ${DISK}/5 ${DISK}/6 ${DISK}/7; true`,
    cause: /no inode is left/,
    remedy: 'ini: root = ~/.towline',
    after: `umount ${DISK}`,
  },
  'a disk without exec': {
    id: 'file-system',
    level: 'warning',
    section: () => ({ root: `${DISK}/towline` }),
    spoil: `mount -t tmpfs -o size=64m,noexec,uid=$(id -u ${PATIENT}),mode=755 none ${DISK}`,
    cause: /cannot be run there/,
    remedy: 'ini: root = ~/.towline',
    after: `umount ${DISK}`,
  },
  'a runtime that is not in PATH': {
    id: 'runtime',
    section: () => ({ runtime: 'apptainer-1.9' }),
    cause: /there is one at \/usr\/bin\/apptainer/,
    remedy: 'ini: runtime = /usr/bin/apptainer',
  },
  'a /dev/fuse that may not be opened': {
    id: 'fuse',
    level: 'warning',
    spoil: 'chmod 600 /dev/fuse',
    cause: /unpacks the whole image/,
    remedy: 'root: chmod 666 /dev/fuse',
    after: 'chmod 666 /dev/fuse',
  },
  'no user namespaces (a fake unshare says so)': {
    id: 'user-namespaces',
    section: () => ({ setup: `PATH=${HOME}/fake:$PATH` }),
    spoil: `mkdir -p ${HOME}/fake && printf '#!/bin/sh\\nexit 1\\n' >${HOME}/fake/unshare && chmod 755 ${HOME}/fake/unshare`,
    remedy: /^words: ask for user namespaces/,
    byHand: () => asRoot(`rm ${HOME}/fake/unshare`),
  },
  'an image cache that cannot be written': {
    id: 'image-cache',
    section: () => ({ image_cache_dir: '/srv/closed' }),
    spoil: 'install -d -m 755 /srv/closed',
    cause: /no image can be pulled/,
    remedy: `ini: image_cache_dir = ${HOME}/.towline/images`,
    after: 'rmdir /srv/closed',
  },
  'an image cache with little space': {
    id: 'image-cache',
    level: 'warning',
    section: () => ({ image_cache_dir: `${DISK}/images` }),
    spoil: `mount -t tmpfs -o size=64m,uid=$(id -u ${PATIENT}),mode=755 none ${DISK}`,
    remedy: `ini: image_cache_dir = ${HOME}/.towline/images`,
    after: `umount ${DISK}`,
  },
  'an image cache on a network file system (a fake stat says so)': {
    id: 'image-cache',
    level: 'warning',
    section: () => ({ setup: `PATH=${HOME}/fake:$PATH`, image_cache_dir: `${DISK}/images` }),
    spoil: `mkdir -p ${HOME}/fake && printf '#!/bin/sh\\ncase "$*" in *%%T*${DISK}) echo 99999999 4096 nfs ;; *) exec /usr/bin/stat "$@" ;; esac\\n' >${HOME}/fake/stat && chmod 755 ${HOME}/fake/stat
      chown ${PATIENT} ${DISK}`,
    cause: /each start reads its image over the network/,
    remedy: `ini: image_cache_dir = ${HOME}/.towline/images`,
    after: `rm -r ${HOME}/fake; chown root ${DISK}`,
  },
  'a registry that cannot be reached': {
    id: 'registry',
    level: 'warning',
    section: () => ({ insecure_registries: 'registry:1' }),
    cause: /a firewall or a missing proxy/,
    remedy: 'ini: insecure_registries = NAME:PORT',
    byHand: (text) => text.replace('NAME:PORT', 'registry:5000'),
  },
  'an overlay that an ended attempt still holds': {
    id: 'overlay',
    level: 'warning',
    section: () => ({ root: `${HOME}/held` }),
    spoil: `install -d -o ${PATIENT} -m 700 ${HOME}/held ${HOME}/held/tasks ${HOME}/held/tasks/d ${HOME}/held/tasks/d/t.1
      touch ${HOME}/held/tasks/d/t.1/exit.json
      su -s /bin/sh ${PATIENT} -c 'exec 9>${HOME}/held/tasks/d/t.1/overlay.img; exec setsid -f sleep 600' >/dev/null 2>&1`,
    cause: /currently in use by another process/,
    remedy: /^host: kill \d+$/,
  },
  'no squashfuse: images are unpacked at each start': {
    id: 'conversion',
    level: 'warning',
    spoil: 'chmod 000 /usr/bin/squashfuse /usr/bin/squashfuse_ll',
    cause: /each start does that/,
    remedy: 'words: install squashfuse on the host',
    byHand: () => asRoot('chmod 755 /usr/bin/squashfuse /usr/bin/squashfuse_ll'),
    after: 'chmod 755 /usr/bin/squashfuse /usr/bin/squashfuse_ll',
  },
  'a GPU whose driver does not run (fake nvidia-smi and modprobe)': {
    id: 'gpu',
    level: 'warning',
    spoil: `printf '#!/bin/sh\\n[ -e /run/fake-driver ] && echo "GPU 0: Fake" && exit 0\\necho "could not communicate with the NVIDIA driver"; exit 9\\n' >/usr/local/bin/nvidia-smi
      printf '#!/bin/sh\\n[ "$1" = nvidia ] && touch /run/fake-driver\\n' >/usr/local/bin/modprobe
      chmod 755 /usr/local/bin/nvidia-smi /usr/local/bin/modprobe`,
    cause: /its driver does not run/,
    remedy: "root: modprobe 'nvidia'",
    after: 'rm -f /usr/local/bin/nvidia-smi /usr/local/bin/modprobe /run/fake-driver',
  },
  'a forwarded port with nothing behind it': {
    id: 'forwarding',
    level: 'warning',
    section: () => ({ port: '1' }),
    cause: /the virtual machine or the tunnel is down/,
    remedy: 'ini: port = NUMBER',
    byHand: (text) => text.replace('NUMBER', String(sshd.port)),
  },
  'a forwarded port that leads to another service': {
    id: 'forwarding',
    level: 'warning',
    section: async () => ({ port: await otherService() }),
    cause: /where no sshd listens; it is 22 as a rule/,
    remedy: 'ini: port = NUMBER',
    byHand: (text) => text.replace('NUMBER', String(sshd.port)),
  },
  'a logind that ends everything at logout': {
    id: 'logout',
    // No systemd runs in the bed: its mark is a directory.
    spoil:
      "mkdir -p /run/systemd/system /etc/systemd/logind.conf.d && printf '[Login]\\nKillUserProcesses=yes\\n' >/etc/systemd/logind.conf.d/kill.conf",
    remedy: new RegExp(`^root: .*KillExcludeUsers=root ${PATIENT}`),
    after: 'rm -rf /run/systemd/system /etc/systemd/logind.conf.d',
  },
};

describe('doctor finds, and its remedy mends', () => {
  test.each(Object.entries(TROUBLES))('%s', async (name, trouble) => {
    const host = `h${Object.keys(TROUBLES).indexOf(name)}`;
    try {
      if (trouble.spoil !== undefined) await asRoot(trouble.spoil);
      await configure(host, { ...base, ...(await trouble.section?.()) });
      const before = await doctor(host);
      const finding = before.findings.find(({ id }) => id === trouble.id);
      const seen = JSON.stringify(before.findings.filter(({ level }) => level !== 'ok'));
      expect(finding?.level, seen).toBe(trouble.level ?? 'failure');
      if (trouble.cause !== undefined && finding?.cause !== undefined) {
        expect(finding.cause).toMatch(trouble.cause);
      }
      const { remedy } = finding as Finding;
      const told = `${remedy?.how}: ${remedy?.text}`;
      if (typeof trouble.remedy === 'string') expect(told).toBe(trouble.remedy);
      else expect(told).toMatch(trouble.remedy);
      const { how = 'words', text = '' } = remedy ?? {};
      await apply(host, { how, text: (await trouble.byHand?.(text)) ?? text });
      const after = await doctor(host);
      const rest = after.findings.filter(({ level }) => level !== 'ok');
      expect(after.findings.find(({ id }) => id === trouble.id)?.level, JSON.stringify(rest)).toBe(
        'ok',
      );
      expect(after.failures, JSON.stringify(rest)).toBe(0);
    } finally {
      if (trouble.after !== undefined) await asRoot(`${trouble.after}; true`);
    }
  });
});

/** The second sshd of this test with one line of its own, always on the same port. */
async function furtherSshd(line: string): Promise<Record<string, string>> {
  const port = further?.port;
  await further?.stop();
  const lines = ['PerSourcePenalties no', line];
  further = await startSshd({ lines, ...(port !== undefined && { port }) });
  return { port: String(further.port), known_hosts: own('known_hosts_2', further.knownHosts) };
}

async function otherService(): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const address = server.address();
  return String(typeof address === 'object' ? address?.port : 0);
}

function changedKey(name: string): string {
  const key = readFileSync(join(BED, 'wrong_host_key.pub'), 'utf8').split(' ').slice(0, 2);
  return `${name} ${key.join(' ')}\n`;
}

test('a look costs one login, however much it finds', async () => {
  await configure('healthy', base);
  const before = sshd.logins();
  const { failures, warnings } = await doctor('healthy');
  expect({ failures, warnings }).toEqual({ failures: 0, warnings: 0 });
  const after = sshd.logins();
  expect(after.accepted - before.accepted).toBe(1);
  expect(after.connections - before.connections).toBe(1);
  expect(after.failed - before.failed).toBe(0);
  expect(await asRoot(`ls -A ${HOME} | grep probe; ls -A /tmp | grep probe; true`)).toBe('');
});

test('a host that is paused can be examined, and stays paused', async () => {
  await configure('paused', base);
  expect((await daemon.cli('host', 'pause', 'paused')).code).toBe(0);
  expect(await doctor('paused')).toMatchObject({ failures: 0, warnings: 0 });
  const { stdout } = await daemon.cli('host', 'show', 'paused', '--no-probe', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ mode: 'paused' });
});

test('a server that says nothing ends the look when its time is over', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = String(typeof address === 'object' ? address?.port : 0);
  await configure('mute', { ...base, port, connect_timeout: '1s' });
  const { findings } = await doctor('mute');
  server.close();
  expect(findings.find(({ level }) => level === 'failure')).toMatchObject({ id: 'server' });
  expect(findings.at(-1)).toMatchObject({ id: 'container', level: 'skipped' });
});

describe('for each user of the bed', () => {
  const WELL: BedUser[] = ['bob', 'csh_user', 'tcsh_user', 'fish_user', 'zsh_user', 'banner_user'];
  const FILES = /\.bashrc/;
  const ILL: [BedUser, string, RegExp][] = [
    ['noisy_user', 'noise', /^\/home\/noisy_user\/\.bashrc prints without a terminal, line 1:/],
    ['exec_user', 'shell', FILES],
    ['exit_user', 'shell', FILES],
    ['forced_user', 'shell', /forced command.*This account only forwards ports/],
    ['sftp_user', 'shell', /ForceCommand.*This service allows sftp connections only/],
    ['nologin_user', 'shell', /This account is currently not available/],
  ];
  const configured = (user: BedUser) => configure(user, { ...base, user });

  beforeAll(async () => {
    for (const user of [...WELL, ...ILL.map(([name]) => name)]) await configured(user);
  });
  test.concurrent.each(WELL)('%s: nothing fails', async (user) => {
    const { failures, findings } = await doctor(user);
    expect(failures, JSON.stringify(findings.filter(({ level }) => level !== 'ok'))).toBe(0);
  });
  test.concurrent.each(ILL)(
    '%s: one failure, and it names the file or sshd',
    async (user, id, cause) => {
      const { findings } = await doctor(user);
      const failed = findings.filter(({ level }) => level === 'failure');
      expect(
        failed.map((finding) => finding.id),
        JSON.stringify(failed),
      ).toEqual([id]);
      expect(failed[0]?.cause).toMatch(cause);
    },
  );
});
