/** The keys of a host behind SSH, as people see and trust them. Implementation: ssh/host-trust.ts. */

export interface OfferedKey {
  /** As it stands in known_hosts: `ssh-ed25519`. */
  type: string;
  /** As `ssh-keygen -l` shows it: `SHA256:…`. */
  fingerprint: string;
  /**
   * trusted: pinned. unknown: nothing is said of it. different: another key is pinned where this one
   * would stand. revoked: must not be used.
   */
  verdict: 'trusted' | 'unknown' | 'different' | 'revoked';
  /** `file:line` of what the verdict rests on. */
  places: string[];
  /** The login nodes that offer it, where the host has several. */
  nodes?: string[] | undefined;
}

export interface HostKeysReport {
  /** The name under which the host stands in known_hosts; those of its login nodes, by comma. */
  name: string;
  /** Towline's own file. */
  file: string;
  keys: OfferedKey[];
  /** Login nodes that could not be asked, while others could. */
  silent?: { node: string; code: string; message: string }[] | undefined;
}

export interface PinRequest {
  /** Only keys with these are pinned, all or none. */
  fingerprints: readonly string[];
  /** Lines of Towline's own file for this host that say otherwise are removed. */
  replace: boolean;
}

export interface HostKeys {
  /**
   * Asks the host for its keys, one connection for each type and never a login, within the login
   * budget. @throws SSH_*
   */
  offered(): Promise<HostKeysReport>;
  /**
   * Pins keys that the host offers, and gives them as they stand then. Keys shown by offered() shortly
   * before are not asked for again.
   * @throws SSH_* HOST_KEY_NOT_OFFERED HOST_KEY_CONFLICT
   */
  pin(request: PinRequest): Promise<HostKeysReport>;
}
