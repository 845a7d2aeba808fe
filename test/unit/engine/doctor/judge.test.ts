/**
 * Goal: each trouble a host can have is judged by its level, cause and exact remedy. Method: a host in
 * good health with one thing spoilt, and what the section of that thing says.
 */
import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../../../src/domain/failure.ts';
import type { Finding } from '../../../../src/domain/finding.ts';
import type { Case } from '../../../../src/engine/doctor/case.ts';
import { SECTIONS } from '../../../../src/engine/doctor/sections.ts';
import type { LinkInspection } from '../../../../src/remote/host.ts';
import type { DoctorFacts } from '../../../../src/script/doctor.ts';
import { goodCase, goodLink, judged, PIN } from './cases.ts';

const failureOf = (code: ErrorCode, message = 'as told', context = {}) =>
  new AppError(code, message, { context }).toRecord();
const linked = (more: Partial<LinkInspection>): Case => ({
  ...goodCase(),
  link: { ...goodLink(), ...more },
});
const factual = (more: Partial<DoctorFacts>): Case => {
  const found = goodCase();
  return { ...found, facts: { ...(found.facts as DoctorFacts), ...more } };
};

type Row = [
  what: string,
  id: string,
  found: Case,
  level: Finding['level'],
  remedy: string | undefined,
  words?: RegExp,
];

const LINK_ROWS: Row[] = [
  [
    'all login nodes',
    'nodes',
    goodCase(),
    'ok',
    undefined,
    /vm2\.example\.org:22: all can be used/,
  ],
  [
    'a login node with another key',
    'nodes',
    linked({
      nodes: {
        found: [
          { name: 'a:22', examined: false, failure: failureOf('SSH_HOST_KEY_CHANGED') },
          { name: 'b:22', examined: true },
        ],
      },
    }),
    'warning',
    expect.stringContaining('host trust') as string,
    /b:22 serves and is examined here; a:22 cannot be used/,
  ],
  [
    'no login node',
    'nodes',
    linked({
      nodes: {
        found: [
          { name: 'a:22', examined: true, failure: failureOf('SSH_HOST_UNREACHABLE') },
          { name: 'b:22', examined: false, failure: failureOf('SSH_AUTH_FAILED') },
        ],
      },
    }),
    'failure',
    expect.anything() as string,
    /none of a:22, b:22: .*; b:22 cannot be used/,
  ],
  [
    'a name nobody knows',
    'name',
    linked({ resolution: { failure: failureOf('SSH_HOST_NAME_UNKNOWN') } }),
    'failure',
    'ini: hostname = NAME_OR_ADDRESS',
    /vm\.example\.org is no name/,
  ],
  ['all addresses', 'name', goodCase(), 'ok', undefined, /192\.0\.2\.10, 2001:db8::1/],
  [
    'a refused port',
    'port',
    linked({ tcp: { failure: failureOf('SSH_CONNECTION_REFUSED') } }),
    'failure',
    'ini: port = NUMBER',
    /port 2222/,
  ],
  [
    'no answer',
    'port',
    linked({ tcp: { failure: failureOf('SSH_HOST_UNREACHABLE') } }),
    'failure',
    "here: ping -c 3 'vm.example.org'",
  ],
  [
    'another service',
    'server',
    linked({
      banner: { found: { server: '', before: 'HTTP/1.1 400' }, failure: failureOf('SSH_PROTOCOL') },
    }),
    'failure',
    'ini: port = NUMBER',
    /no SSH server: HTTP/,
  ],
  [
    'a penalty',
    'server',
    linked({
      banner: {
        found: { server: '', before: 'Not allowed at this time' },
        failure: failureOf('SSH_CONNECTION_LOST'),
      },
    }),
    'failure',
    'words: wait a minute; if it stays, raise MaxStartups or PerSourcePenalties in sshd_config',
  ],
  [
    'where a key is pinned',
    'host-key',
    goodCase(),
    'ok',
    undefined,
    /pinned at \/k h:3; the server has ssh-ed25519/,
  ],
  [
    'an unknown key',
    'host-key',
    linked({ hostKey: { failure: failureOf('SSH_HOST_KEY_UNKNOWN') } }),
    'failure',
    'here: towline host trust vm',
  ],
  [
    'a changed key',
    'host-key',
    linked({
      hostKey: {
        found: { offered: [], pinned: [PIN] },
        failure: failureOf('SSH_HOST_KEY_CHANGED', 'x', { knownHosts: '/k h' }),
      },
    }),
    'failure',
    "here: ssh-keygen -R '[vm.example.org]:2222' -f '/k h' && towline host trust vm",
    /ask the site why/,
  ],
  [
    'a changed key that Towline itself keeps',
    'host-key',
    linked({
      hostKey: {
        found: { offered: [], pinned: [PIN] },
        failure: failureOf('SSH_HOST_KEY_CHANGED', 'x', { knownHosts: '/state/known_hosts' }),
      },
    }),
    'failure',
    'here: towline host trust vm --replace',
  ],
  [
    'a revoked key',
    'host-key',
    linked({ hostKey: { failure: failureOf('SSH_HOST_KEY_REVOKED') } }),
    'failure',
    'words: do not connect; ask the site for its new key',
  ],
  [
    'a key nobody authorized',
    'login',
    linked({
      auth: {
        found: {
          methods: ['publickey'],
          banner: '',
          tries: [
            { method: 'publickey', publicKey: "ssh-ed25519 AAA it's me", verdict: 'refused' },
          ],
        },
        failure: failureOf('SSH_AUTH_FAILED'),
      },
    }),
    'failure',
    `host: mkdir -p -m 700 ~/.ssh && echo 'ssh-ed25519 AAA it'\\''s me' >> ~/.ssh/authorized_keys && chmod 600 ~/.ssh/authorized_keys`,
  ],
  [
    'a server without keys',
    'login',
    linked({
      auth: {
        found: {
          methods: ['password'],
          banner: '',
          tries: [{ method: 'publickey', publicKey: 'p', verdict: 'refused' }],
        },
        failure: failureOf('SSH_AUTH_FAILED'),
      },
    }),
    'failure',
    expect.stringContaining('words: ') as string,
    /takes no keys/,
  ],
  [
    'a key and more',
    'login',
    linked({
      auth: {
        found: {
          methods: ['publickey'],
          banner: '',
          tries: [{ method: 'publickey', publicKey: 'p', verdict: 'wants more' }],
        },
        failure: failureOf('SSH_AUTH_FAILED'),
      },
    }),
    'failure',
    expect.stringContaining('words: ') as string,
    /a key alone is not enough/,
  ],
  [
    'a key others can read',
    'login',
    linked({
      auth: { failure: failureOf('SSH_KEY_UNREADABLE', '/k has mode 0644, so', { file: '/k' }) },
    }),
    'failure',
    "here: chmod 600 '/k'",
  ],
  [
    'an encrypted key',
    'login',
    linked({
      auth: {
        failure: failureOf('SSH_KEY_UNREADABLE', 'protected by a passphrase', { file: '/k' }),
      },
    }),
    'failure',
    'ini: passphrase_file = FILE_WITH_THE_PASSPHRASE',
  ],
  [
    'no key at all',
    'login',
    linked({
      auth: {
        failure: failureOf('SSH_KEY_UNREADABLE', 'no private key is there: /k', { file: '/k' }),
      },
    }),
    'failure',
    'ini: identity_file = PATH_OF_A_PRIVATE_KEY',
  ],
  [
    'a short RSA key',
    'login',
    linked({
      auth: {
        found: {
          methods: [],
          banner: '',
          tries: [{ method: 'publickey', rsaBits: 2048, verdict: 'accepted' }],
        },
      },
    }),
    'warning',
    'here: ssh-keygen -t ed25519',
    /2048 bits/,
  ],
  [
    'many keys',
    'login',
    linked({
      auth: {
        found: {
          methods: [],
          banner: 'hi',
          tries: [1, 2, 3, 4].map((n) => ({
            method: 'publickey',
            key: `k${n}`,
            verdict: n === 4 ? 'accepted' : 'refused',
          })),
        },
      },
    }),
    'warning',
    'words: name the right key first in identity_file',
    /k4 \(number 4/,
  ],
  [
    'nologin',
    'shell',
    linked({
      shell: {
        found: {
          noise: 'This account is currently not available.\n',
          stderr: '',
          firstAnswerMs: 1,
        },
        failure: failureOf('HOST_REPLY_INVALID'),
      },
    }),
    'failure',
    "root: usermod --shell /bin/sh 'alice'",
    /lets nobody in/,
  ],
  [
    'a forced command',
    'shell',
    linked({
      shell: {
        found: { noise: 'only sums here', stderr: '', firstAnswerMs: 1 },
        failure: failureOf('HOST_REPLY_INVALID'),
      },
    }),
    'failure',
    expect.stringContaining('remove ForceCommand for alice') as string,
    /ForceCommand.*only sums here/,
  ],
  [
    'a slow shell',
    'shell',
    linked({ shell: { found: { noise: '', stderr: '', firstAnswerMs: 4000 } } }),
    'warning',
    'words: shorten /home/alice/.bashrc for shells without a terminal',
  ],
  [
    'few channels',
    'channels',
    linked({ sessions: { found: { open: 1, limited: true } } }),
    'warning',
    'words: set MaxSessions 10 in /etc/ssh/sshd_config of vm.example.org and reload sshd',
    /MaxSessions 1/,
  ],
  [
    'many channels',
    'channels',
    linked({ sessions: { found: { open: 12, limited: false } } }),
    'ok',
    undefined,
    /at least 12/,
  ],
  [
    'no SFTP',
    'sftp',
    linked({ sftp: { failure: failureOf('SSH_CHANNEL_REFUSED') } }),
    'failure',
    'words: set Subsystem sftp internal-sftp in /etc/ssh/sshd_config of vm.example.org and reload sshd',
  ],
  [
    'SFTP extensions',
    'sftp',
    goodCase(),
    'ok',
    undefined,
    /has posix-rename, limits; does without fsync, hardlink, statvfs/,
  ],
  [
    'a slow link',
    'round-trip',
    linked({ roundTrip: { found: { ms: 400 } } }),
    'warning',
    undefined,
  ],
];

const HOST_ROWS: Row[] = [
  [
    'a clock an hour ahead',
    'clock',
    { ...goodCase(), skewMs: 3_600_000 },
    'warning',
    'root: timedatectl set-ntp true',
    /\+3600 s/,
  ],
  ['a minute is no trouble', 'clock', { ...goodCase(), skewMs: -60_000 }, 'ok', undefined, /-60 s/],
  [
    'a variable without value',
    'root',
    factual({ root: undefined, rootUnset: 'SCRATCH' }),
    'failure',
    'ini: root = ~/.towline',
    /\$SCRATCH has no value/,
  ],
  [
    'the home itself',
    'root',
    factual({ root: '/home/alice' }),
    'failure',
    'ini: root = /home/alice/towline',
  ],
  [
    'a link',
    'root',
    factual({ rootKind: 'symlink', rootTarget: '/big/t' }),
    'failure',
    'ini: root = /big/t',
  ],
  ['a file', 'root', factual({ rootKind: 'other' }), 'failure', 'ini: root = ~/.towline'],
  [
    'another owner',
    'root',
    factual({ rootOurs: false, rootOwner: 'bob' }),
    'failure',
    'ini: root = ~/.towline',
    /belongs to bob, not to alice/,
  ],
  [
    'another owner at the usual place',
    'root',
    factual({ root: '/home/alice/.towline', rootOurs: false }),
    'failure',
    "root: chown -R 'alice' '/home/alice/.towline'",
  ],
  ['mode 777', 'root', factual({ rootMode: '777' }), 'failure', "host: chmod 700 '/data/towline'"],
  ['mode 720', 'root', factual({ rootMode: '720' }), 'failure', "host: chmod 700 '/data/towline'"],
  ['mode 750', 'root', factual({ rootMode: '750' }), 'ok', undefined],
  [
    'mode 500',
    'root',
    factual({ rootMode: '500', canMake: false }),
    'failure',
    "host: chmod 700 '/data/towline'",
  ],
  [
    'a newer format',
    'root',
    factual({ rootMarker: '{"format":2,"towline":"root"}' }),
    'failure',
    'ini: root = /data/towline-2',
  ],
  [
    'things of others',
    'root',
    factual({ rootMarker: undefined, rootForeign: 'thesis' }),
    'failure',
    'ini: root = /data/towline/towline',
    /it has thesis/,
  ],
  [
    'not there, to be made',
    'root',
    factual({ rootKind: 'absent' }),
    'ok',
    undefined,
    /can be made/,
  ],
  [
    'not there, not to be made',
    'root',
    factual({ rootKind: 'absent', anchor: '/data', canMake: false }),
    'failure',
    'ini: root = ~/.towline',
    /may not write to \/data/,
  ],
  [
    'full',
    'space',
    factual({ freeBytes: 0, canFill: false }),
    'failure',
    'ini: root = ~/.towline',
    /full or too small/,
  ],
  [
    'full at home',
    'space',
    factual({ root: '/home/alice/.towline', freeBytes: 0 }),
    'failure',
    'here: towline gc',
  ],
  [
    'no inodes',
    'space',
    factual({ freeInodes: 3 }),
    'failure',
    'ini: root = ~/.towline',
    /no inode is left/,
  ],
  ['no inodes counted', 'space', factual({ inodes: 0, freeInodes: 0 }), 'ok', undefined],
  [
    'a quota used up',
    'space',
    factual({ canFill: false }),
    'failure',
    'here: towline gc',
    /a quota is used up/,
  ],
  [
    'over quota',
    'space',
    factual({ quota: ['/home 10* 5 6'] }),
    'failure',
    'words: remove files, or ask for more quota',
    /over quota: \/home 10\* 5 6/,
  ],
  ['little', 'space', factual({ freeBytes: 2 ** 29 }), 'warning', 'ini: root = ~/.towline'],
  [
    'noexec',
    'file-system',
    factual({ canRun: false }),
    'warning',
    'ini: root = ~/.towline',
    /noexec/,
  ],
  [
    'NFS',
    'file-system',
    factual({ fsType: 'nfs' }),
    'warning',
    expect.stringContaining('local disk') as string,
  ],
  [
    'a tmp that cannot be written',
    'tmp',
    factual({ tmpWritable: false }),
    'warning',
    'ini: setup = mkdir -p ~/tmp && export TMPDIR=~/tmp',
  ],
  [
    'a small tmp',
    'tmp',
    factual({ tmpFreeBytes: 1000 }),
    'warning',
    'ini: setup = mkdir -p ~/tmp && export TMPDIR=~/tmp',
  ],
  [
    'killed at logout',
    'logout',
    factual({ killUserProcesses: 'yes', killFile: '/etc/l.conf', linger: true }),
    'failure',
    "root: mkdir -p /etc/systemd/logind.conf.d && printf '[Login]\\nKillExcludeUsers=root alice\\n' > /etc/systemd/logind.conf.d/towline.conf; systemctl kill -s HUP systemd-logind",
    /yes in \/etc\/l\.conf/,
  ],
  [
    'spared at logout',
    'logout',
    factual({ killUserProcesses: 'yes', killExclude: 'root alice' }),
    'ok',
    undefined,
  ],
  ['no systemd', 'logout', factual({ killUserProcesses: 'yes', systemd: false }), 'ok', undefined],
  [
    'a missing tool',
    'tools',
    factual({ tools: { setsid: false, stat: false } }),
    'failure',
    'words: install util-linux, coreutils on the host',
    /setsid, stat/,
  ],
  [
    'a wished tool',
    'tools',
    factual({ tools: { 'mv-T': false } }),
    'warning',
    'words: GNU coreutils have them',
  ],
];

const RUNTIME_ROWS: Row[] = [
  [
    'another place',
    'runtime',
    factual({ runtimePath: undefined, runtimeElsewhere: '/opt/a/bin/apptainer' }),
    'failure',
    'ini: runtime = /opt/a/bin/apptainer',
  ],
  [
    'a module',
    'runtime',
    factual({ runtimePath: undefined, modules: true }),
    'failure',
    'ini: setup = module load apptainer',
  ],
  [
    'no runtime',
    'runtime',
    factual({ runtimePath: undefined }),
    'failure',
    expect.stringContaining('install Apptainer 1.1') as string,
  ],
  [
    'a setup that is no shell',
    'runtime',
    factual({ setupValid: false }),
    'failure',
    'ini: setup = A_LINE_OF_SHELL',
  ],
  [
    'an old one',
    'runtime',
    factual({ runtimeVersion: 'apptainer version 1.0.3' }),
    'warning',
    expect.stringContaining('newer Apptainer') as string,
  ],
  [
    'Singularity',
    'runtime',
    factual({ runtimeVersion: 'singularity-ce version 3.11.4' }),
    'warning',
    expect.stringContaining('newer Apptainer') as string,
  ],
  [
    'a sysctl of Debian',
    'user-namespaces',
    factual({ userns: false, usernsClone: '0' }),
    'failure',
    'root: sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    'none allowed',
    'user-namespaces',
    factual({ userns: false, usernsMax: '0' }),
    'failure',
    'root: sysctl -w user.max_user_namespaces=10000',
  ],
  [
    'AppArmor',
    'user-namespaces',
    factual({ userns: false, usernsApparmor: '1' }),
    'failure',
    'root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  [
    'forbidden otherwise',
    'user-namespaces',
    factual({ userns: false }),
    'failure',
    expect.stringContaining('set-uid root') as string,
  ],
  ['not needed', 'user-namespaces', factual({ userns: false, setuid: true }), 'ok', undefined],
  ['no fuse', 'fuse', factual({ fuseDevice: 'absent' }), 'warning', 'root: modprobe fuse'],
  [
    'fuse denied',
    'fuse',
    factual({ fuseDevice: 'denied' }),
    'warning',
    'root: chmod 666 /dev/fuse',
  ],
  [
    'no squashfuse',
    'fuse',
    factual({ squashfuse: undefined }),
    'warning',
    'words: install squashfuse on the host',
  ],
  [
    'no mksquashfs',
    'fuse',
    factual({ mksquashfs: undefined }),
    'warning',
    'words: install squashfs-tools on the host',
  ],
  [
    'a container that fails',
    'container',
    {
      ...goodCase(),
      container: {
        image: { kind: 'cached', path: '/i.sif' },
        code: 255,
        words: 'INFO: a\nFATAL: no way',
      },
    },
    'failure',
    expect.stringContaining('words: ') as string,
    /\/i\.sif did not start \(exit code 255\): FATAL: no way/,
  ],
  [
    'an image without a shell',
    'container',
    {
      ...goodCase(),
      container: {
        image: { kind: 'cached', path: '/i.sif' },
        code: 255,
        words: 'FATAL: stat /bin/sh: no such file or directory',
      },
    },
    'ok',
    undefined,
  ],
  [
    'no image',
    'container',
    { ...goodCase(), container: { image: { kind: 'none', why: 'no ldd' }, words: '' } },
    'warning',
    'here: towline image pull vm docker://alpine:3',
    /no ldd/,
  ],
];

const ALWAYS = SECTIONS.map(({ id }) => id);

describe('a host in good health', () => {
  it.each(ALWAYS)('has nothing wrong with its %s', (id) => {
    expect(judged(id, goodCase())).toMatchObject({ level: 'ok' });
  });
});

describe.each([
  ['the link', LINK_ROWS],
  ['the host', HOST_ROWS],
  ['the runtime', RUNTIME_ROWS],
])('%s', (_, rows) => {
  it.each(rows)('%s', (_what, id, found, level, remedy, words = /./) => {
    const judgement = judged(id, found);
    const { how, text } = judgement?.remedy ?? {};
    expect({ level: judgement?.level, remedy: how && `${how}: ${text}` }).toEqual({
      level,
      remedy:
        typeof remedy === 'string' && how === 'words'
          ? expect.stringContaining(remedy.replace(/^words: /, ''))
          : remedy,
    });
    expect(`${judgement?.detail} ${judgement?.cause}`).toMatch(words);
  });
});

describe('noise', () => {
  const noisy = (path: string, more: Partial<LinkInspection> = {}): Case => {
    const found = factual({ rcFiles: [{ path, line: '3:echo hello' }] });
    const shell = { found: { noise: 'hello\n', stderr: '', firstAnswerMs: 1 } };
    return { ...found, link: { ...goodLink(), shell, ...more } };
  };
  it.each([
    [
      '/home/alice/.bashrc',
      "host: sed -i '1i case $- in *i*) ;; *) return ;; esac' '/home/alice/.bashrc'",
    ],
    [
      '/home/alice/.zshenv',
      "host: sed -i '1i case $- in *i*) ;; *) return ;; esac' '/home/alice/.zshenv'",
    ],
    ['/home/alice/.cshrc', "host: sed -i '1i if ( ! $?prompt ) exit' '/home/alice/.cshrc'"],
    [
      '/home/alice/.config/fish/config.fish',
      "host: sed -i '1i status is-interactive; or return' '/home/alice/.config/fish/config.fish'",
    ],
    ['/home/alice/.ssh/rc', "host: sed -i '1i exec >/dev/null' '/home/alice/.ssh/rc'"],
    [
      '/etc/bash.bashrc',
      "root: sed -i '1i case $- in *i*) ;; *) return ;; esac' '/etc/bash.bashrc'",
    ],
  ])('names %s and silences it', (path, remedy) => {
    const judgement = judged('noise', noisy(path));
    expect(judgement?.level).toBe('warning');
    expect(judgement?.cause).toBe(`${path} prints without a terminal, line 3:echo hello`);
    expect(`${judgement?.remedy?.how}: ${judgement?.remedy?.text}`).toBe(remedy);
  });
  it('that breaks SFTP is a failure of its own, and SFTP is not blamed for it', () => {
    const sftp = { found: { noise: 'hello\n', extensions: [] }, failure: failureOf('SFTP_FAILED') };
    const found = noisy('/home/alice/.bashrc', { sftp });
    expect(judged('noise', found)).toMatchObject({ level: 'failure', code: 'HOST_SHELL_UNUSABLE' });
    expect(judged('sftp', found)).toMatchObject({ level: 'skipped' });
  });
  it('on stderr does no harm', () => {
    const shell = { found: { noise: '', stderr: 'motd', firstAnswerMs: 1 } };
    expect(judged('noise', linked({ shell }))).toMatchObject({ level: 'ok' });
  });
});
