/** The keys of [host.NAME]: part of the table in keys.ts. */
import type { KeyTable } from './key-table.ts';
import {
  boolean,
  choice,
  decimal,
  duration,
  integer,
  list,
  localPath,
  matching,
  ownedRemotePath,
  remotePath,
  size,
  text,
  words,
} from './values.ts';

const HOUR_MS = 3_600_000;
const HOSTNAME =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,254}\$?$/;

export const hostname = matching(
  'name or address',
  HOSTNAME,
  'a DNS name, an IPv4 or an IPv6 address; user and port have keys of their own',
);
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
  enabled: {
    field: 'enabled',
    type: boolean,
    doc: 'With false the host gets no new tasks.',
    example: 'false',
    otherwise: { default: 'true' },
  },
  hostname: {
    field: 'hostname',
    type: hostname,
    doc: 'The DNS name or address to connect to.',
    example: '192.0.2.10',
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
  known_hosts: {
    field: 'knownHostsFiles',
    type: list(localPath),
    doc: 'Files with the host keys that are trusted; a host that is in none of them is refused.',
    example: '~/.config/towline/known_hosts',
    sshOnly: true,
    otherwise: { default: '~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts' },
  },
  connect_timeout: {
    field: 'connectTimeoutMs',
    type: duration(1_000, HOUR_MS),
    doc: 'How long a connection may take until it is ready for commands.',
    example: '30s',
    sshOnly: true,
    otherwise: { default: '10s' },
  },
  transfer_links: {
    field: 'transferLinks',
    type: integer(0, 16),
    doc: 'How many connections beside the main one may carry files at the same time; with 0 files use the main one.',
    example: '1',
    sshOnly: true,
    otherwise: { default: '2' },
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
    doc: 'How many tasks may be on the host at the same time.',
    example: '32',
    otherwise: { default: '8' },
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
  image_cache_dir: {
    field: 'imageCacheDir',
    type: remotePath,
    doc: 'The directory on the host for pulled images; may be shared by several accounts.',
    example: '/scratch/shared/images',
    otherwise: { absent: 'images in root' },
  },
  insecure_registries: {
    field: 'insecureRegistries',
    type: list(
      matching(
        'registry',
        /^[A-Za-z0-9][A-Za-z0-9._-]*(?::\d{1,5})?$/,
        'a registry: name or name:port',
      ),
    ),
    doc: 'Registries that are spoken to over plain HTTP.',
    example: 'registry.example.org:5000',
    otherwise: { computed: 'none' },
  },
  max_pulls: {
    field: 'maxPulls',
    type: integer(1, 64),
    doc: 'How many images may be pulled on the host at the same time.',
    example: '1',
    otherwise: { default: '2' },
  },
  pull_attempts: {
    field: 'pullAttempts',
    type: integer(1, 100),
    doc: 'How often a pull is tried before its task ends with an error; what cannot get better is tried once.',
    example: '10',
    otherwise: { default: '5' },
  },
  pull_backoff: {
    field: 'pullBackoffMs',
    type: duration(1, HOUR_MS),
    doc: 'The wait after the first failed pull; it doubles with each further one.',
    example: '10s',
    otherwise: { default: '2s' },
  },
  pull_backoff_cap: {
    field: 'pullBackoffCapMs',
    type: duration(1, 24 * HOUR_MS),
    doc: 'The longest wait between two pulls.',
    example: '5m',
    otherwise: { default: '1m' },
  },
  pull_timeout: {
    field: 'pullTimeoutMs',
    type: duration(1_000, 168 * HOUR_MS),
    doc: 'How long one pull may take.',
    example: '3h',
    otherwise: { default: '1h' },
  },
} as const satisfies KeyTable;
