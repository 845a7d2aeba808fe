/** What logind does with processes when the connection that started them closes, from what a host says of itself. */

export interface LogoutFacts {
  user: string;
  uid: number;
  systemd?: boolean | undefined;
  /** KillUserProcesses, KillExcludeUsers of logind.conf. */
  killUserProcesses?: string | undefined;
  killExclude?: string | undefined;
  linger?: boolean | undefined;
  /** A scope of the user's own manager could be made just now. */
  userScope?: boolean | undefined;
}

/**
 * kept: nothing is ended; scope: what is in a scope of the user's manager is not ended, as that lingers;
 * killed: all is ended.
 */
export type Logout = 'kept' | 'scope' | 'killed';

export function logoutOf(facts: LogoutFacts): Logout {
  const { user, uid, systemd, killUserProcesses = 'no', killExclude = '' } = facts;
  const kills = /^(yes|true|1|on)$/i.test(killUserProcesses.trim());
  const spared = uid === 0 || killExclude.split(/\s+/).includes(user);
  if (systemd !== true || !kills || spared) return 'kept';
  return facts.linger === true && facts.userScope === true ? 'scope' : 'killed';
}

/** Puts a command into a scope of the user's manager; it runs as this very process, with its files and environment. */
export const IN_USER_SCOPE = 'systemd-run --user --scope --quiet --collect';

/** The user's manager is found by this; a login without PAM does not set it. */
export const RUNTIME_DIR = 'export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"';

/** Asked at first contact, where logind ends processes: can a scope be made? */
export const TRY_SCOPE = `case $kills in
  [Yy]es | [Tt]rue | 1 | [Oo]n)
    ${RUNTIME_DIR}
    try userScope ${IN_USER_SCOPE} true
    ;;
esac`;
