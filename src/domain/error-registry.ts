/**
 * Every code Towline can say, in one table: exit code of the CLI, HTTP status, whether trying again
 * can help, what it means, and the next command to type. docs/errors.md is generated from it.
 */

interface ErrorDefinition {
  /** One sentence: when this is said. */
  what: string;
  /** Names the next command; `{key}` comes from the error's context. */
  hint: string;
  retry: 'never' | 'later' | 'after-fix';
  http: number;
  /** Exit code of the CLI when a verb fails with this. */
  exit: number;
}

type Row = [
  what: string,
  hint: string,
  retry?: ErrorDefinition['retry'],
  http?: number,
  exit?: number,
];

// biome-ignore format: one code, one line
const ROWS = {
  // the door
  DAEMON_NOT_RUNNING: ['No daemon answers on the socket.', 'start it: towline daemon', 'after-fix', 503, 10],
  DAEMON_ALREADY_RUNNING: ['Another daemon owns this state directory or socket.', 'talk to the running one: towline list, or stop it first', 'after-fix', 409, 13],
  DAEMON_SOCKET_INVALID: ['The socket cannot be made or used.', 'set [daemon] socket to a short path in a directory of mode 0700, then: towline daemon', 'after-fix', 500, 12],
  DAEMON_STATE_DIR_INVALID: ['The state directory cannot be used.', 'set [daemon] state_dir to a directory you own on a local disk, then: towline config check', 'after-fix', 500, 12],
  DAEMON_STATE_DIR_NETWORK: ['The state directory is on a network file system, where commits are not safe.', 'set [daemon] state_dir to a local disk, then: towline config check', 'after-fix', 500, 12],
  DAEMON_STATE_CLONED: ['The state directory is a copy, or was made on another machine; the daemon is read-only.', 'if this one takes over and the original never runs again: towline daemon --adopt-state', 'after-fix', 409, 13],
  DAEMON_STOPPING: ['The daemon is stopping and takes no work.', 'try again when it is back: towline list', 'later', 503, 10],
  DAEMON_BUSY: ['The daemon serves as many requests or followers at once as it may.', 'end some followers (towline logs -f, towline events -f), then try again', 'later', 429, 13],
  TES_UNAUTHORIZED: ['A request over TCP shows no token that is known.', 'make one: towline tes token add NAME; send it as Authorization: Bearer TOKEN', 'after-fix', 401, 13],
  TES_LISTEN_FAILED: ['The address of [tes] listen cannot be listened on.', 'set [tes] listen to a free port, or mend tls_cert and tls_key, then: towline daemon', 'after-fix', 500, 12],
  REQUEST_INVALID: ['The request does not fit the schema.', 'see towline help, or GET /openapi.json', 'never', 400, 2],
  ROUTE_NOT_FOUND: ['There is no such route.', 'see GET /openapi.json', 'never', 404, 11],
  USAGE: ['The command line does not fit.', 'see: towline help {command}', 'never', 400, 2],
  INTERNAL: ['A bug in Towline.', 'please report it with the daemon log', 'never', 500, 1],
  // configuration
  CONFIG_FILE_UNREADABLE: ['A configuration file cannot be read.', 'check the path and its permissions, then: towline config check', 'after-fix', 500, 12],
  CONFIG_SYNTAX: ['A line of a configuration file cannot be understood.', 'mend the line named, then: towline config check', 'after-fix', 500, 12],
  CONFIG_SECTION_UNKNOWN: ['A section that Towline does not know.', 'mend the line named, then: towline config check', 'after-fix', 500, 12],
  CONFIG_KEY_UNKNOWN: ['A key that Towline does not know.', 'mend the line named, then: towline config check', 'after-fix', 500, 12],
  CONFIG_VALUE_INVALID: ['A value that does not fit its key.', 'mend the line named, then: towline config check', 'after-fix', 500, 12],
  // the ledger
  STORE_SCHEMA_NEWER: ['The database was written by a newer Towline.', 'install that version or a newer one', 'after-fix', 500, 12],
  STORE_CORRUPT: ['The database or a row of it cannot be read.', 'keep the file, restore a backup of the state directory, and report it', 'never', 500, 1],
  STORE_IO: ['The state directory cannot be read or written just now.', 'look at the disk and at the permissions of the state directory, then start the daemon again: towline daemon', 'later', 500, 1],
  STORE_FULL: ['The submit host has no space left for the state directory.', 'free space there; work goes on by itself', 'later', 507, 1],
  // tasks
  QUEUE_FULL: ['The daemon holds as many unfinished tasks as it may.', 'see them: towline list; submit again when some have ended, or raise [daemon] queue_limit', 'later', 429, 13],
  TASK_NOT_FOUND: ['No task has this id.', 'see the ids: towline list', 'never', 404, 11],
  TASK_WRONG_STATE: ['The task is not in a state that allows this.', 'see: towline show {task}', 'never', 409, 13],
  TASK_INVALID: ['A task that cannot be run as written.', 'mend the field named and submit again', 'never', 400, 2],
  TASK_IDEMPOTENCY_CONFLICT: ['The idempotency key was used for a different task.', 'use a new key, or see the first task: towline show {task}', 'never', 409, 13],
  TASK_NO_HOST_FITS: ['No configured host can ever run this task.', 'see what the hosts have: towline host list', 'after-fix', 400, 2],
  SLURM_LIMIT: ['The task asks for more than a partition gives, so no job is submitted.', 'ask for less, or another partition (--partition); what it gives stands in [partition.{host}.{partition}]', 'never', 400, 2],
  SLURM_PARTITION_UNKNOWN: ['A partition that is named is not there.', 'name one that is there, then: towline host doctor {host}', 'after-fix', 400, 2],
  TASK_WAITS_FOR_ROOM: ['Every host that could run the task is full just now.', 'nothing to do: it starts when there is room; see towline host list', 'later', 200, 3],
  TASK_EXIT_CODE: ['The command ended with a code that is not accepted.', 'see its output: towline logs {task}', 'never', 200, 3],
  TASK_TIME_LIMIT: ['The command ran longer than its time limit and was ended.', 'give it more: towline run --time …', 'never', 200, 3],
  TASK_OUT_OF_MEMORY: ['The command was killed for lack of memory.', 'give it more: towline run --memory …', 'never', 200, 3],
  TASK_OUTPUT_LIMIT: ['The command printed more than the cap of a stream and was ended.', 'raise [defaults] output_limit, or write to a file and use --output', 'never', 200, 3],
  TASK_INTERRUPTED: ['The attempt started and is provably dead without an exit record.', 'look at its output, then run it again: towline retry {task}', 'never', 200, 3],
  TASK_CANCELLED: ['The task was cancelled.', 'run it again: towline retry {task}', 'never', 200, 3],
  TASK_HOOK_FAILED: ['The command to be run at the end of a task (--on-finish) failed; the task stays as it ended.', 'see what it said: towline show {task}; try it by hand: towline show --json {task} | sh -c …', 'never', 200, 3],
  TASK_PREDECESSOR_FAILED: ['A task that this one waits for did not succeed, so it never starts.', 'see the other task: towline show {predecessor}', 'never', 200, 3],
  WORKFLOW_INVALID: ['A workflow file that cannot be run as written.', 'mend the lines named, then: towline workflow check {file}', 'never', 400, 2],
  WORKFLOW_RUN_UNKNOWN: ['No task belongs to a run of a workflow with this id.', 'see the runs of a workflow in the tags of its tasks: towline list --json --tag workflow=NAME', 'never', 404, 11],
  REPORT_WRITE_FAILED: ['A report cannot be written where it should go.', 'check {path}: directory, permissions, space', 'after-fix', 500, 3],
  // hosts
  HOST_UNKNOWN: ['No host of this name is configured.', 'see the names: towline host list', 'after-fix', 404, 11],
  HOST_PAUSED: ['The host is paused: nothing is sent to it, what runs there runs on unseen.', 'go on with it: towline host resume {host}', 'later', 409, 13],
  HOST_DRAINING: ['The host is draining: it gets no new tasks.', 'let it have tasks again: towline host resume {host}', 'later', 409, 13],
  HOST_DISABLED: ['The configuration keeps new tasks from the host.', 'remove enabled = false from [host.{host}] and reload the daemon (SIGHUP)', 'after-fix', 409, 13],
  HOST_IN_USE: ['Tasks are on the host.', 'see them: towline list --host {host}; wait for them or cancel them first', 'after-fix', 409, 13],
  HOST_ROOT_INVALID: ['The remote root is not a directory that Towline may use.', 'choose another with root = … in [host.{host}], then: towline host doctor {host}', 'after-fix', 200, 3],
  HOST_ROOT_UNAVAILABLE: ['The remote root or a directory in it cannot be seen just now.', 'see: towline host show {host}; work goes on when it is back', 'later', 200, 3],
  HOST_NO_SPACE: ['The host has no space left.', 'free space on {host} (root = …): a task that waits goes on by itself, one that has ended by: towline retry {task}', 'after-fix', 200, 3],
  HOST_TOOL_MISSING: ['A basic command is missing on the host.', 'install it on {host}, then: towline host doctor {host}', 'after-fix', 200, 3],
  HOST_COMMAND_FAILED: ['A command of Towline failed on the host.', 'see: towline host doctor {host}', 'later', 200, 3],
  HOST_SETUP_FAILED: ['The set-up of a host did not get it to run containers.', 'the message says why; what is wrong otherwise: towline host doctor {host}', 'after-fix', 200, 3],
  HOST_COMMAND_TIMEOUT: ['A command of Towline did not answer in time on the host.', 'see: towline host doctor {host}; it is tried again', 'later', 200, 3],
  HOST_SESSIONS_FULL: ['Too many exec and shell sessions are open on the host.', 'end one of them, then try again', 'later', 429, 13],
  HOST_REPLY_INVALID: ['A reply of the host cannot be understood.', 'see: towline host doctor {host}', 'later', 200, 3],
  HOST_SHELL_UNUSABLE: ['The account does not give a quiet /bin/sh.', 'compare: ssh -p {port} {user}@{hostname} /bin/sh; without a terminal its startup files must print nothing, not exit and start no other shell; it is tried again', 'later', 200, 3],
  HOST_CALL_ABORTED: ['Towline itself gave up a call to the host.', 'nothing to do: it is made again when it is needed', 'later', 503, 10],
  // schedulers
  SLURM_MISSING: ['The commands of Slurm are not there.', 'make them known by setup = module load … in [host.{host}], then: towline host doctor {host}', 'later', 200, 3],
  SLURM_UNAVAILABLE: ['Slurm does not answer just now, or not in a way that says what became of the job.', 'nothing to do: it is asked again; see towline host doctor {host}', 'later', 200, 3],
  SLURM_FULL: ['Slurm takes no more jobs of the account just now.', 'nothing to do: it is submitted later; max_tasks in [host.{host}] keeps the queue shorter', 'later', 200, 3],
  SLURM_REFUSED: ['Slurm will not run a job like this one.', 'mend what the message names: partition, account, qos, limits; then: towline retry {task}', 'never', 200, 3],
  SLURM_PENDING: ['The job waits in the queue of Slurm.', 'nothing to do: it starts when Slurm lets it; see on {host}: squeue --me', 'later', 200, 3],
  SLURM_NOT_STARTED: ['A job ended before it had started the attempt.', 'nothing to do: it is submitted again; see on {host}: sacct -X', 'later', 200, 3],
  SLURM_CANCELLED: ['Somebody else cancelled the job.', 'run it again: towline retry {task}', 'never', 200, 3],
  SLURM_NODE_FAIL: ['The compute node failed.', 'run it again: towline retry {task}', 'never', 200, 3],
  SLURM_PREEMPTED: ['The job had to give way to another one.', 'run it again: towline retry {task}; with --retry-on interrupted this happens by itself', 'never', 200, 3],
  SLURM_BOOT_FAIL: ['The compute node did not come up.', 'run it again: towline retry {task}', 'never', 200, 3],
  SLURM_DEADLINE: ['The job could not end before its deadline.', 'give it a later one, then: towline retry {task}', 'never', 200, 3],
  SLURM_REQUEUED: ['Slurm ended the job to run it again later; what has started is not started twice.', 'run it again: towline retry {task}; with --retry-on interrupted this happens by itself', 'never', 200, 3],
  // links
  SSH_HOST_UNREACHABLE: ['The host does not answer.', 'see: towline host doctor {host}; tasks wait and go on by themselves', 'later', 200, 3],
  SSH_HOST_NAME_UNKNOWN: ['The host name does not resolve.', 'check hostname in [host.{host}], then: towline host doctor {host}', 'later', 200, 3],
  SSH_CONNECTION_REFUSED: ['Nothing listens on the port.', 'check hostname and port in [host.{host}] and that sshd runs; it is tried again', 'later', 200, 3],
  SSH_CONNECTION_LOST: ['The connection to the host broke.', 'nothing to do: it is made again; see towline host show {host}', 'later', 200, 3],
  SSH_HOST_BUSY: ['The host turns logins away just now.', 'nothing to do: it is asked again later and later; see MaxStartups and PerSourcePenalties of its sshd, and: towline host show {host}', 'later', 200, 3],
  SSH_HOST_KEY_UNKNOWN: ['The host key is in no known_hosts file.', "compare the fingerprint with the site's, then: towline host trust {host}", 'after-fix', 200, 3],
  SSH_HOST_KEY_CHANGED: ['The host key is not the pinned one; it may be another machine.', 'ask the site why it changed; only then: towline host trust {host} --replace', 'after-fix', 200, 3],
  SSH_HOST_KEY_REVOKED: ['The host key is marked @revoked.', 'do not connect; ask the site for its new key', 'after-fix', 200, 3],
  SSH_KNOWN_HOSTS_UNREADABLE: ['A known_hosts file cannot be read.', 'check the path in [host.{host}] known_hosts', 'after-fix', 200, 3],
  SSH_AUTH_FAILED: ['The host accepts none of the keys offered.', 'check user and identity_file in [host.{host}], and authorized_keys there: ssh -p {port} {user}@{hostname}', 'after-fix', 200, 3],
  SSH_KEY_UNREADABLE: ['A private key cannot be read or used.', 'check identity_file in [host.{host}]: mode 0600, an OpenSSH or PEM key; one with a passphrase needs passphrase_file or an agent', 'after-fix', 200, 3],
  SSH_AGENT_UNAVAILABLE: ['The agent that holds the keys does not answer, is locked or holds none.', 'check identity_agent in [host.{host}], and what the agent holds: SSH_AUTH_SOCK={agent} ssh-add -l', 'after-fix', 200, 3],
  SSH_NEEDS_LOGIN: ['The host asks for something that only a person can answer; until then it is left alone.', 'towline host login {host}', 'after-fix', 200, 3],
  SSH_LOGIN_FAILED: ['The host did not accept the answers given.', 'try again: towline host login {host}', 'after-fix', 200, 3],
  SSH_LOGIN_ENDED: ['The login conversation is over or was taken over.', 'begin again: towline host login {host}', 'after-fix', 409, 13],
  SSH_JUMP_REFUSED: ['A jump host does not forward connections.', 'ask the site of {host} for AllowTcpForwarding, or choose another jump in the configuration', 'after-fix', 200, 3],
  SSH_CHANNEL_REFUSED: ['The host refuses more channels on this connection.', 'nothing to do: fewer are used; see towline host show {host}', 'later', 200, 3],
  SSH_PROTOCOL: ['The SSH conversation failed.', 'try by hand: ssh -v -p {port} {user}@{hostname}', 'later', 200, 3],
  SFTP_FAILED: ['An SFTP operation failed on the host.', 'see: towline host doctor {host}', 'later', 200, 3],
  SFTP_NOT_FOUND: ['A remote file is not there.', 'see: towline show {task}', 'never', 200, 3],
  SFTP_DENIED: ['The host denies access to a remote file.', 'check the permissions of the path on {host}', 'after-fix', 200, 3],
  HOST_KEY_NOT_OFFERED: ['The host offers no key with this fingerprint; nothing was trusted.', "see what it offers: towline host trust {host}; compare with the site's fingerprints", 'after-fix', 409, 13],
  HOST_KEY_CONFLICT: ['Another key is pinned for the host; nothing was trusted.', 'ask the site why the key changed; only then do what the message says, and: towline host trust {host}', 'after-fix', 409, 13],
  HOST_WITHOUT_KEYS: ['A local host has no host keys.', 'see: towline host show {host}', 'never', 409, 13],
  // the runtime and images
  RUNTIME_NOT_FOUND: ['There is no container runtime on the host.', 'install Apptainer on {host}, or set runtime = /path/to/apptainer (or setup = module load apptainer) in [host.{host}]', 'after-fix', 200, 3],
  RUNTIME_START_FAILED: ['The container did not start; the command never ran.', "read the runtime's words: towline logs {task} --runtime; if no container starts there: towline host doctor {host}", 'never', 200, 3],
  IMAGE_REFERENCE_INVALID: ['An image reference that cannot be understood.', 'write it like docker://ubuntu:24.04, oras://…, library://… or /path/image.sif', 'never', 400, 2],
  IMAGE_NOT_FOUND: ['The SIF file is not on the host.', 'check the path on {host}: it names a file there, not here', 'after-fix', 200, 3],
  IMAGE_MANIFEST_UNKNOWN: ['The registry has no such image or tag.', 'check the name and tag; then: towline retry {task}', 'never', 200, 3],
  IMAGE_UNAUTHORIZED: ['The registry refuses access to the image.', 'check the name (private images look like this) and the login in registry_auth_file of [host.{host}], then: towline image pull {host} {image}', 'after-fix', 200, 3],
  IMAGE_REGISTRY_UNREACHABLE: ['The host cannot reach the registry.', "check the registry's name and the network of {host}; it is tried again", 'later', 200, 3],
  IMAGE_RATE_LIMITED: ['The registry has had too many requests from the host.', 'nothing to do: it is tried again later; with an account there is more (registry_auth_file in [host.{host}])', 'later', 200, 3],
  IMAGE_REGISTRY_FAILED: ['The registry answers with an error of its own.', 'it is tried again; if it stays, ask who runs the registry', 'later', 200, 3],
  REGISTRY_AUTH_INVALID: ['The file with the logins of registries cannot be used.', 'mend registry_auth_file of [host.{host}]: mode 0600, a Docker config.json; then: towline retry {task}', 'after-fix', 200, 3],
  IMAGE_PULL_FAILED: ['The image could not be pulled.', "read the runtime's words in the message; then: towline image pull {host} {image}", 'later', 200, 3],
  IMAGE_CORRUPT: ['The pulled file is not a whole SIF.', 'pull it again: towline image pull {host} {image}', 'later', 200, 3],
  IMAGE_NO_SHELL: ['The image has no shell to run a text command.', 'give the command as words after --, without sh -c; an image without /bin/sh can run its own programs', 'never', 200, 3],
  IMAGE_SOURCE_AWAY: ['The host that is to send the image cannot do it just now.', 'see: towline host show {source}; it is tried again', 'later', 200, 3],
  IMAGE_NO_SOURCE: ['No other host can send the image to this one.', 'name one that can pull it with image_from = … in [host.{host}]', 'after-fix', 200, 3],
  IMAGE_ARCHITECTURE: ['The host that is to send the image has another kind of CPU.', 'name a host of the same kind with image_from = … in [host.{host}]', 'after-fix', 200, 3],
  IMAGE_IN_USE: ['The image is used by running tasks.', 'wait for them: towline list --state running', 'later', 409, 13],
  OVERLAY_NOT_FOUND: ['The overlay is not on the host.', 'check the path on {host}; one is made there by: apptainer overlay create --sparse --size 1024 {path}', 'never', 200, 3],
  OVERLAY_IN_USE: ['The overlay is in use: only one container may write to it, and while it does none may read it.', 'see who has it: towline list --state running; wait for its end, or give each task its own (--overlay-size); then: towline retry {task}', 'never', 200, 3],
  OVERLAY_CREATE_FAILED: ['The overlay of the task could not be made on the host; the command never ran.', 'look at the free space of root on {host}, and for mkfs.ext3 (e2fsprogs) and fuse2fs there: towline host doctor {host}; then: towline retry {task}', 'never', 200, 3],
  BIND_SOURCE_MISSING: ['What a bind or a task needs mounted is not there on the host.', 'check the path on {host}: it names a file or directory there, not here', 'never', 200, 3],
  TMP_DIR_UNUSABLE: ['The tmp_dir of the task is no directory that it can write to on the host.', 'check the path on {host}: tmp_dir in [host.{host}] or --tmp-dir', 'after-fix', 200, 3],
  HOST_VARIABLE_UNSET: ['A path names a variable that is not set on the host.', 'write the path out, or have {variable} set for logins without a terminal on {host}', 'after-fix', 200, 3],
  // staging
  STAGE_INPUT_MISSING: ['An input is not there on the submit host.', 'check --input {path}', 'never', 400, 2],
  STAGE_INPUT_UNREADABLE: ['An input cannot be read on the submit host.', 'check the permissions of {path}', 'after-fix', 400, 2],
  STAGE_INPUT_CHANGED: ['An input changed while it was sent.', 'nothing to do: it is sent again; do not write to {path} meanwhile', 'later', 200, 3],
  STAGE_CHECKSUM_MISMATCH: ['The bytes on the host are not the bytes sent.', 'nothing to do: it is sent again', 'later', 200, 3],
  STAGE_LIMIT: ['The inputs are more files, or nested deeper, than a task may have.', 'pack them into one archive (tar) and give that as --input', 'never', 200, 3],
  STAGE_OUTPUT_MISSING: ['What another task has made is not there any more, or it never made it.', 'run that one again, then this one: towline retry {producer}; towline show {producer} tells what it left', 'never', 200, 3],
  STAGE_REMOTE_INPUT_MISSING: ['An input path is not there on the host.', 'check the path on {host}', 'never', 200, 3],
  STORAGE_FETCH_FAILED: ['An input cannot be had from its storage.', 'check the address and that this machine reaches it', 'never', 200, 3],
  STORAGE_PUT_FAILED: ['An output cannot be put into its storage.', 'check the address, what the keys of [s3] may do there and that this machine reaches it; then: towline retry {task}', 'never', 200, 3],
  STORAGE_UNSUPPORTED: ['An address of a storage that Towline cannot reach.', 'see docs/tes.md for the storages there are', 'never', 200, 3],
  OUTPUT_MISSING: ['A declared output was not produced.', 'see what there is in {workDir} on {host}; the directory is kept', 'never', 200, 3],
  OUTPUT_NOT_DURABLE: ['The host was booted again before outputs were on its disk: they may have lost bytes.', 'look at {workDir} on {host}, what is there is kept; then run it again: towline retry {task}', 'never', 200, 3],
  OUTPUT_LIMIT: ['The outputs are more files or bytes than a task may bring back.', 'pack them inside the task (tar) or name fewer; see [defaults] collect_limit', 'never', 200, 3],
  OUTPUT_EXISTS: ['A file is already where an output should go.', 'move it away or use --overwrite, then: towline retry {task}', 'never', 200, 3],
  OUTPUT_UNSAFE: ['A remote name or file type that is not let in.', 'look at the work directory on {host}', 'never', 200, 3],
  OUTPUT_CHECKSUM_MISMATCH: ['The bytes fetched are not the bytes on the host.', 'nothing to do: it is fetched again', 'later', 200, 3],
  OUTPUT_LOCAL_FULL: ['The submit host has no space left where an output goes.', 'free space for {path}; the output stays on the host, and work goes on by itself', 'later', 200, 3],
  OUTPUT_LOCAL_WRITE: ['An output cannot be written on the submit host.', 'check {path}: directory, permissions, space', 'after-fix', 200, 3],
  // copies into and out of tasks
  COPY_NOT_FOUND: ['Nothing is at this path of the task.', 'see what there is: towline exec {task} -- ls -l', 'never', 404, 11],
  COPY_EXISTS: ['A file is already where a copy should go.', 'move it away or use --overwrite', 'never', 409, 13],
  COPY_CHANGED: ['A file changed while it was copied.', 'copy it again when nothing writes to it', 'later', 409, 3],
  COPY_FAILED: ['A file could not be written inside the task.', 'see what there is: towline exec {task} -- ls -l', 'never', 409, 3],
  // launch and streams
  LAUNCH_CONFLICT: ["The attempt's directory exists with another content.", 'look at it on {host}; then: towline retry {task}', 'never', 200, 3],
  STREAM_TRUNCATED: ['A stream file on the host shrank; bytes already fetched are kept.', 'the command may have truncated its log: towline logs {task}', 'never', 200, 3],
  STREAM_COPIER_DIED: ["A stream's copier was killed on the host; output may be missing.", 'run it again: towline retry {task}', 'never', 200, 3],
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof ROWS;

export const ERRORS: Readonly<Record<ErrorCode, ErrorDefinition>> = Object.freeze(
  Object.fromEntries(
    Object.entries(ROWS as Record<string, Row>).map(([code, row]) => {
      const [what, hint, retry = 'never', http = 500, exit = 1] = row;
      return [code, { what, hint, retry, http, exit }];
    }),
  ) as Record<ErrorCode, ErrorDefinition>,
);

export const ERROR_CODES = Object.keys(ROWS) as ErrorCode[];
