/** What a look at the way to a host finds: plain facts, judged elsewhere. */
import type { FailureRecord } from '../domain/failure.ts';
import type { RunOptions, RunResult } from './host.ts';

/** What was found of one thing, what went wrong with it, or both. */
export interface Seen<T> {
  found?: T | undefined;
  failure?: FailureRecord | undefined;
}

/** A part that is absent was not looked at: something before it failed. */
export interface LinkInspection {
  /** How each of several login nodes stands; none for a host with one. */
  nodes?: Seen<NodeSeen[]> | undefined;
  /** Absent on this machine itself, where there is no link to look at. */
  place?: LinkPlace | undefined;
  resolution?: Seen<{ addresses: string[] }> | undefined;
  tcp?: Seen<{ address: string; ms?: number | undefined }> | undefined;
  banner?: Seen<{ server: string; before: string }> | undefined;
  hostKey?: Seen<HostKeySeen> | undefined;
  auth?: Seen<{ methods: string[]; tries: AuthTry[]; banner: string }> | undefined;
  shell?: Seen<ShellSeen> | undefined;
  sftp?: Seen<{ noise: string; extensions: string[] }> | undefined;
  /** Session channels that were open at once; `limited` when the host refused one more. */
  sessions?: Seen<{ open: number; limited: boolean }> | undefined;
  roundTrip?: Seen<{ ms: number }> | undefined;
}

/** A login node, looked at up to the login. */
export interface NodeSeen {
  /** hostname:port. */
  name: string;
  /** All other parts are about this one. */
  examined: boolean;
  failure?: FailureRecord | undefined;
}

/** What remedies need to name. */
export interface LinkPlace {
  hostname: string;
  port: number;
  user: string;
  knownHostsFiles: string[];
  /** The name in known_hosts files, where it is not that of the host. */
  alias?: string | undefined;
  /** Names of the jump hosts, outermost first. */
  jumps: string[];
}

export interface HostKeySeen {
  /** Types the server can show, in its order; empty when it never said. */
  offered: string[];
  /** Type and fingerprint of the key it showed. */
  shown?: string | undefined;
  /** Type, fingerprint and file:line of each key that is trusted for it. */
  pinned: string[];
}

export interface ShellSeen {
  /** Printed before the first answer, on stdout and on stderr. */
  noise: string;
  stderr: string;
  firstAnswerMs: number;
  /** Names of the program that reads our commands and of the login shell, as they say themselves. */
  reader?: string | undefined;
  login?: string | undefined;
}

export interface AuthTry {
  method: string;
  /** Of a key: type, fingerprint, comment. */
  key?: string | undefined;
  /** Length of an RSA key. */
  rsaBits?: number | undefined;
  /** The line that authorized_keys would need. */
  publicKey?: string | undefined;
  verdict: 'accepted' | 'refused' | 'wants more' | 'not answered';
}

export interface Inspection {
  readonly link: LinkInspection;
  /** Runs a text over the connection that was looked at. @throws SSH_* HOST_* as Host.run */
  run: (script: string, options: RunOptions) => Promise<RunResult>;
  close: () => void;
}
