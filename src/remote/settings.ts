/** What the bridge must be told about a host. Made by config/, read-only here. */

export interface HostSettings extends HostTuning {
  /** The name in the configuration, as users type it. */
  name: string;
  hostname: string;
  port: number;
  user: string;
  /** Private keys, tried in this order. One that is missing is passed over if another can be used. */
  identityFiles: string[];
  /** Socket of the agent; without it no agent is asked. */
  identityAgent?: string | undefined;
  /** Further login nodes with the same files, in order of preference; each is complete, and has none itself. */
  furtherNodes?: HostSettings[];
  /** The way to the host, outermost first; each hop is complete and has no `jumps` of its own. */
  jumps: HostSettings[];
  /** File whose first line opens encrypted private keys; may lie in systemd's $CREDENTIALS_DIRECTORY. */
  passphraseFile?: string | undefined;
  /** Read afresh for each connection; missing files count as empty. */
  knownHostsFiles: string[];
  /** The known_hosts file that `towline host trust` writes; read before the others. */
  trustedKeysFile?: string;
  /** The name in known_hosts files, in place of hostname and port. */
  hostKeyAlias?: string;
}

/** What a host can do without being told: each has a default in HOST_TUNING. */
export interface HostTuning {
  /** 0: everything shares one connection, for sites where each login costs somebody a token. */
  transferLinks: number;
  connectTimeoutMs: number;
  keepaliveIntervalMs: number;
  /** A link is given up after this many intervals without one byte from the host. */
  keepaliveMisses: number;
  /** An SFTP session is given up when requests wait this long without one answer. */
  progressTimeoutMs: number;
  /** Transfer links and slow shells nobody uses are closed after this time. */
  idleCloseMs: number;
  reconnectMinMs: number;
  reconnectMaxMs: number;
  /** How often a host that refuses us (wrong key, changed host key) is asked again by itself. */
  refusedRetryMs: number;
  /** Logins that may come at once, and how long it takes to earn one more. */
  loginBurst: number;
  loginRefillMs: number;
}

export const HOST_TUNING: Readonly<HostTuning> = Object.freeze({
  transferLinks: 2,
  connectTimeoutMs: 10_000,
  keepaliveIntervalMs: 3_000,
  keepaliveMisses: 2,
  progressTimeoutMs: 30_000,
  idleCloseMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 10_000,
  refusedRetryMs: 600_000,
  loginBurst: 6,
  loginRefillMs: 10_000,
});
