/**
 * Every key of the configuration, in one table. The schemas, the typed Config, docs/configuration.md
 * and config/towline.example.ini derive from it: a new key is a new row here and nothing else, unless
 * its default depends on the machine (computed.ts).
 */
import { HOST_KEYS } from './host-keys.ts';
import type { KeyTable } from './key-table.ts';
import { S3_KEYS } from './s3-keys.ts';
import { PARTITION_KEYS, SBATCH_KEYS } from './slurm-keys.ts';
import { SSH_KEYS } from './ssh-keys.ts';
import { TES_KEYS } from './tes-keys.ts';
import {
  choice,
  duration,
  durationOrNone,
  integer,
  list,
  localPath,
  matching,
  orNone,
  size,
  text,
} from './values.ts';

const DAY_MS = 86_400_000;

export const DAEMON_KEYS = {
  state_dir: {
    field: 'stateDir',
    type: localPath,
    doc: 'Where the daemon keeps its database and the streams of its tasks; a local disk, not a network file system.',
    example: '/var/lib/towline/alice',
    otherwise: { computed: '$STATE_DIRECTORY (set by systemd), else ~/.local/state/towline' },
  },
  socket: {
    field: 'socket',
    type: localPath,
    doc: 'The Unix socket of the daemon, in a directory of mode 0700; the path has at most 107 bytes.',
    example: '/run/user/1000/towline/towline.sock',
    otherwise: {
      computed:
        '$RUNTIME_DIRECTORY/towline.sock, else $XDG_RUNTIME_DIR/towline/towline.sock, else towline.sock in state_dir',
    },
  },
  log_level: {
    field: 'logLevel',
    type: choice('trace', 'debug', 'info', 'warn', 'error'),
    doc: 'The least important message that is logged.',
    example: 'debug',
    otherwise: { default: 'info' },
  },
  queue_limit: {
    field: 'queueLimit',
    type: integer(1, 1_000_000),
    doc: 'How many tasks that have not ended the daemon holds; more are refused until some have ended.',
    example: '5000',
    otherwise: { default: '100000' },
  },
  min_free: {
    field: 'minFreeBytes',
    type: size,
    doc: 'New tasks are refused while the disk of state_dir has less free than this.',
    example: '5 GiB',
    otherwise: { default: '64 MiB' },
  },
  keep_events: {
    field: 'keepEventsMs',
    type: duration(0, 3_650 * DAY_MS),
    doc: 'How long events are told to those who ask for them later.',
    example: '7d',
    otherwise: { default: '30d' },
  },
  max_events: {
    field: 'eventsMax',
    type: integer(1_000, 1_000_000_000),
    doc: 'How many events are kept at most; the oldest go first.',
    example: '100000',
    otherwise: { default: '1000000' },
  },
  hook_time: {
    field: 'hookMs',
    type: duration(1_000, DAY_MS),
    doc: 'How long the command for the end of a task (on_finish) may take before it is ended.',
    example: '10m',
    otherwise: { default: '1m' },
  },
  max_hooks: {
    field: 'hooks',
    type: integer(1, 100),
    doc: 'How many such commands run at once; the others wait for their turn.',
    example: '1',
    otherwise: { default: '4' },
  },
} as const satisfies KeyTable;

export const DEFAULTS_KEYS = {
  host: {
    field: 'host',
    type: matching('host name', /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'the NAME of a [host.NAME]'),
    doc: 'The host of a task that names none.',
    example: 'vm',
    otherwise: { absent: 'the least loaded host that fits' },
  },
  image: {
    field: 'images',
    type: list(
      matching(
        'image',
        /^(?:(?:docker|oras|library|file):\/\/)?(?![\s:/]*$)(?!.*:\/\/)\S+$/,
        'an image (docker://, oras://, library://, file://, or a path ending in .sif)',
      ),
    ),
    doc: 'The image of a task that names none; of several the first that can be had is used.',
    example: 'docker://debian:12',
    otherwise: { default: 'docker://ubuntu:24.04' },
  },
  pull: {
    field: 'pullWhen',
    type: choice('missing', 'newer'),
    doc: 'When an image is pulled: missing takes the one that is on the host; newer asks the registry first whether the tag has moved, as often as pull_ask_every of the host says.',
    example: 'newer',
    otherwise: { default: 'missing' },
  },
  shell: {
    field: 'shell',
    type: matching('program', /^[A-Za-z0-9_./+-]+$/, 'the name or path of a shell'),
    doc: 'The shell in the container that runs commands given as text.',
    example: '/bin/sh',
    otherwise: { absent: 'bash if the image has it, else sh' },
  },
  cleanup: {
    field: 'cleanup',
    type: choice('always', 'on-success', 'never'),
    doc: "When a task's directory on the host is removed after its end.",
    example: 'always',
    otherwise: { default: 'on-success' },
  },
  retries: {
    field: 'retries',
    type: integer(0, 99),
    doc: 'How many more attempts a task gets when its command failed; trouble with the host or the network never counts.',
    example: '2',
    otherwise: { default: '0' },
  },
  accept_exit: {
    field: 'acceptExit',
    type: list(integer(0, 255)),
    doc: 'Exit codes of the command that count as success.',
    example: '0, 42',
    otherwise: { default: '0' },
  },
  output_limit: {
    field: 'outputLimitBytes',
    type: size,
    doc: 'How much a task may write to each of stdout and stderr; it is ended when it writes more.',
    example: '100 MiB',
    otherwise: { default: '1 GiB' },
  },
  overlay_size: {
    field: 'overlayBytes',
    type: orNone(size, 0),
    doc: 'How much a task can write to the root of its container, in an overlay of its own that is removed with it; none makes the root read-only.',
    example: '1 GiB',
    otherwise: { default: 'none' },
  },
  time: {
    field: 'timeLimitMs',
    type: durationOrNone(1_000, 3_650 * DAY_MS),
    doc: 'How long a task may run; the host ends it, also while the daemon is down.',
    example: '12h',
    otherwise: { default: 'none' },
  },
  keep_failed: {
    field: 'keepFailedMs',
    type: duration(0, 3_650 * DAY_MS),
    doc: 'How long the directory of a failed task is kept on the host before towline gc removes it.',
    example: '30d',
    otherwise: { default: '7d' },
  },
  keep_tasks: {
    field: 'keepTasksMs',
    type: duration(0, 3_650 * DAY_MS),
    doc: 'How long an ended task is known and its output kept, once nothing of it is on a host any more.',
    example: '90d',
    otherwise: { default: '30d' },
  },
  on_finish: {
    field: 'onFinish',
    type: text,
    doc: 'A command for sh on this machine, run as the user of the daemon when a task has ended for good: the task as JSON on stdin, TOWLINE_TASK_ID, TOWLINE_STATE and more in its environment (docs/finish.md).',
    example: 'mail -s "$TOWLINE_TASK_ID $TOWLINE_STATE" alice',
    otherwise: { absent: 'none' },
  },
  collect_limit: {
    field: 'collectLimitBytes',
    type: size,
    doc: 'How many bytes of outputs a task may bring back to the submit host in all.',
    example: '2 TiB',
    otherwise: { default: '100 GiB' },
  },
  stop_grace: {
    field: 'stopGraceMs',
    type: duration(0, 3_600_000),
    doc: 'How long a cancelled task has between TERM and KILL.',
    example: '30s',
    otherwise: { default: '10s' },
  },
  ssh_config: {
    field: 'sshConfigFiles',
    type: orNone<readonly string[], readonly string[]>(list(localPath), []),
    doc: 'The OpenSSH client configurations that fill what a [host.NAME] leaves open; none asks nothing of them.',
    example: 'none',
    otherwise: { default: '~/.ssh/config, /etc/ssh/ssh_config' },
  },
} as const satisfies KeyTable;

/** The sections as they are written, with what each is for. */
export const SECTIONS: Readonly<Record<string, { doc: string; keys: KeyTable }>> = {
  daemon: {
    doc: 'The daemon itself. A change needs a restart.',
    keys: DAEMON_KEYS,
  },
  defaults: { doc: 'What a task gets when it does not say otherwise.', keys: DEFAULTS_KEYS },
  tes: {
    doc: 'The door for clients of GA4GH TES (docs/tes.md). A change of roots counts after a reload, of the others after a restart.',
    keys: TES_KEYS,
  },
  s3: {
    doc: 'The storage behind s3:// addresses in TES tasks (docs/tes.md). A change counts after a reload.',
    keys: S3_KEYS,
  },
  'host.NAME': {
    doc: 'A place where tasks run, one section for each. NAME is letters, digits, - and _; a name with dots belongs in hostname.',
    keys: HOST_KEYS,
  },
  'partition.HOST.NAME': {
    doc: 'What tasks may ask of the partition NAME of the cluster behind [host.HOST], which has scheduler = slurm.',
    keys: PARTITION_KEYS,
  },
  'sbatch.HOST.NAME': {
    doc: 'Options of sbatch for some of the jobs of [host.HOST]. Of several such sections the first whose condition is true counts, in the order in which they stand; NAME is only for you.',
    keys: SBATCH_KEYS,
  },
  ssh: {
    doc: 'The section of a dagon.ini file: makes one host named ssh. Only here a comment may follow a value. A [host.ssh] section can add the other keys. In a file with [batch], [dagon_ip] or [dagon_service] the other sections of a dagon.ini are no mistake: docs/from-dagonstar.md has them.',
    keys: SSH_KEYS,
  },
};
