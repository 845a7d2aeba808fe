/** The keys of [host.NAME]: part of the table in keys.ts. */
import { IMAGE_KEYS } from './image-keys.ts';
import { HOSTNAME, jumpHop, USER } from './jump-hop.ts';
import type { KeyTable } from './key-table.ts';
import { loginNodes } from './login-node.ts';
import { SCHEDULER_KEYS, SLURM_KEYS } from './slurm-keys.ts';
import { SURROUNDINGS_KEYS } from './surroundings-keys.ts';
import {
  boolean,
  choice,
  decimal,
  duration,
  integer,
  list,
  localPath,
  matching,
  orNone,
  ownedRemotePath,
  size,
  text,
  words,
} from './values.ts';

const HOUR_MS = 3_600_000;
const hostname = matching('name or address', HOSTNAME, 'a DNS name, an IPv4 or an IPv6 address');
export const user = matching('user name', USER, 'a user name');
export const port = integer(1, 65_535);

export const HOST_KEYS = {
  type: {
    field: 'type',
    type: choice('ssh', 'local'),
    doc: 'ssh reaches the host over SSH; local runs tasks on this machine as the user of the daemon.',
    example: 'local',
    otherwise: { default: 'ssh' },
  },
  ...SCHEDULER_KEYS,
  enabled: {
    field: 'enabled',
    type: boolean,
    doc: 'With false the host gets no new tasks; it still serves as a jump host of others.',
    example: 'false',
    otherwise: { default: 'true' },
  },
  hostname: {
    field: 'hostnames',
    type: loginNodes,
    doc: 'The DNS name or address to connect to; of several login nodes with one file system, all of them: the first that can be reached is used, the others when it cannot.',
    example: 'login1.example.org, login2.example.org:2222',
    sshOnly: true,
    otherwise: { computed: 'NAME of the section' },
  },
  user: {
    field: 'user',
    type: user,
    doc: 'The account on the host.',
    example: 'alice',
    sshOnly: true,
    otherwise: { computed: 'the user of the daemon' },
  },
  port: {
    field: 'port',
    type: port,
    doc: 'The port of the SSH server.',
    example: '2222',
    sshOnly: true,
    otherwise: { default: '22' },
  },
  identity_file: {
    field: 'identityFiles',
    type: list(localPath),
    doc: 'Private key files, tried in order.',
    example: '~/.ssh/cluster_ed25519',
    sshOnly: true,
    otherwise: {
      computed: 'those of ~/.ssh/id_ed25519, ~/.ssh/id_ecdsa, ~/.ssh/id_rsa that exist',
    },
  },
  identity_agent: {
    field: 'identityAgent',
    type: orNone(localPath, undefined),
    doc: 'The socket of an agent whose keys are offered after those of identity_file; none uses no agent.',
    example: '/run/user/1000/ssh-agent.socket',
    sshOnly: true,
    otherwise: { computed: '$SSH_AUTH_SOCK of the daemon, else none' },
  },
  passphrase_file: {
    field: 'passphraseFile',
    type: orNone(localPath, undefined),
    doc: 'A file of mode 0600 whose first line opens encrypted keys of identity_file.',
    example: '$CREDENTIALS_DIRECTORY/hpc-key',
    sshOnly: true,
    otherwise: {
      computed:
        '$CREDENTIALS_DIRECTORY/towline.NAME.passphrase (set by systemd) if it is there, else none',
    },
  },
  jump: {
    field: 'jump',
    type: orNone<readonly string[], readonly string[]>(list(jumpHop), []),
    doc: 'The way to the host: names of other [host.NAME] sections or [user@]hostname[:port], nearest to here first; each is logged in to with its own keys and host key check. The first may have a jump of its own.',
    example: 'admin@gate.example.org:2222',
    sshOnly: true,
    otherwise: { computed: 'none' },
  },
  known_hosts: {
    field: 'knownHostsFiles',
    type: list(localPath),
    doc: 'Files with the host keys that are trusted; a host that is in none of them is refused.',
    example: '~/.config/towline/known_hosts',
    sshOnly: true,
    otherwise: { default: '~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts' },
  },
  host_key_alias: {
    field: 'hostKeyAlias',
    type: hostname,
    doc: 'The name under which the host stands in known_hosts files, in place of hostname and port.',
    example: 'cluster.example.org',
    sshOnly: true,
    otherwise: { absent: 'hostname, with its port if that is not 22' },
  },
  ssh_config: {
    field: 'sshConfigFiles',
    type: orNone<readonly string[], readonly string[]>(list(localPath), []),
    doc: 'OpenSSH client configurations that say hostname, user, port, identity_file, identity_agent, jump, known_hosts and host_key_alias where these files do not; none asks nothing of them.',
    example: 'none',
    sshOnly: true,
    otherwise: { computed: 'ssh_config of [defaults]' },
  },
  connect_timeout: {
    field: 'connectTimeoutMs',
    type: duration(1_000, HOUR_MS),
    doc: 'How long a connection may take until it is ready for commands.',
    example: '30s',
    sshOnly: true,
    otherwise: { default: '10s' },
  },
  links: {
    field: 'links',
    type: integer(1, 17),
    doc: 'How many connections there may be to the host in all; with 1 files use the only one, for sites where each login costs somebody a code.',
    example: '1',
    sshOnly: true,
    otherwise: { default: '3' },
  },
  login_burst: {
    field: 'loginBurst',
    type: integer(1, 1_000),
    doc: 'How many logins may come at once before login_interval holds them back.',
    example: '3',
    sshOnly: true,
    otherwise: { default: '6' },
  },
  login_interval: {
    field: 'loginRefillMs',
    type: duration(10, HOUR_MS),
    doc: 'How long it takes until one more login may come.',
    example: '30s',
    sshOnly: true,
    otherwise: { default: '10s' },
  },
  polls_per_second: {
    field: 'pollsPerSecond',
    type: integer(1, 1_000),
    doc: 'How often in a second the running tasks of the host are looked at, all together, at most.',
    example: '5',
    otherwise: { default: '20' },
  },
  root: {
    field: 'root',
    type: ownedRemotePath,
    doc: 'The directory on the host that Towline makes and owns; ~, $HOME, $USER and $SCRATCH are expanded on the host.',
    example: '$SCRATCH/towline',
    otherwise: { default: '~/.towline' },
  },
  max_tasks: {
    field: 'maxTasks',
    type: integer(1, 100_000),
    doc: 'How many tasks may be on the host at the same time, those that wait in the queue of a scheduler too.',
    example: '32',
    otherwise: { computed: '8; with scheduler = slurm 1000' },
  },
  cpus: {
    field: 'cpus',
    type: decimal,
    doc: 'How many CPUs tasks may use together.',
    example: '16',
    otherwise: { absent: 'detected on the host' },
  },
  memory: {
    field: 'memoryBytes',
    type: size,
    doc: 'How much memory tasks may use together.',
    example: '64 GiB',
    otherwise: { absent: 'detected on the host' },
  },
  gpus: {
    field: 'gpus',
    type: integer(0, 64),
    doc: 'How many GPUs tasks may use: the first of those found on the host, or number 0 and up where none are found; each task has its GPUs to itself.',
    example: '2',
    otherwise: { absent: 'detected on the host' },
  },
  tags: {
    field: 'tags',
    type: list(
      matching('tag', /^[A-Za-z0-9_.-]{1,64}$/, 'a tag: letters, digits, dot, dash, underscore'),
    ),
    doc: 'What a task can ask for with --require.',
    example: 'fast, a100',
    otherwise: { computed: 'none' },
  },
  setup: {
    field: 'setup',
    type: text,
    doc: 'A line of POSIX shell that runs on the host before the container runtime is used.',
    example: "'. /etc/profile.d/modules.sh; module load apptainer'",
    otherwise: { absent: 'nothing' },
  },
  runtime: {
    field: 'runtime',
    type: matching(
      'program',
      /^(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*|\/[^\s;'"`$\\]+)$/,
      'a program name or an absolute path',
    ),
    doc: 'The container runtime on the host: apptainer or singularity, by name or path.',
    example: '/opt/apptainer/bin/apptainer',
    otherwise: { default: 'apptainer' },
  },
  runtime_args: {
    field: 'runtimeArgs',
    type: words,
    doc: 'Arguments for the container runtime, placed before the image; a word with blanks goes between quotes.',
    example: "--nv --env 'GREETING=good morning'",
    otherwise: { computed: 'none' },
  },
  ...SURROUNDINGS_KEYS,
  ...IMAGE_KEYS,
  ...SLURM_KEYS,
} as const satisfies KeyTable;
