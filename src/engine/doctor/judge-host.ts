/** The host itself: its clock, what happens at logout, its tools. */

import { asRoot, failure, inWords, type Judgement, ok, warning } from '../../domain/judgement.ts';
import { logoutOf } from '../../script/logout.ts';
import { quote } from '../../script/quote.ts';
import type { Case } from './case.ts';

const SKEW_MAX_MS = 60_000;
/** Without these nothing can be run at all. */
const NEEDED: Readonly<Record<string, string>> = {
  setsid: 'util-linux',
  sha256sum: 'coreutils',
  stat: 'coreutils',
  mkdir: 'coreutils',
  mv: 'coreutils',
  ln: 'coreutils',
  tr: 'coreutils',
  od: 'coreutils',
  sed: 'sed',
  awk: 'gawk',
  grep: 'grep',
};
/** These have a fallback. */
const WISHED: Readonly<Record<string, string>> = {
  'mv-T': 'publishing a directory needs a second look',
  'env--default-signal': 'commands start with INT and QUIT ignored',
};

export function judgeClock({ facts, skewMs }: Case): Judgement {
  if (facts === undefined || skewMs === undefined) return undefined;
  const seconds = Math.round(skewMs / 1000);
  const detail = `${seconds >= 0 ? '+' : ''}${seconds} s against this machine`;
  if (Math.abs(skewMs) <= SKEW_MAX_MS) return ok(detail);
  const cause =
    'one of the two clocks is wrong; registries refuse a wrong clock, and times of tasks mislead';
  return warning(detail, { cause, remedy: asRoot('timedatectl set-ntp true') });
}

export function judgeLogout({ facts, policy }: Case): Judgement {
  if (facts === undefined) return undefined;
  if (policy.jobs !== undefined) return ok('the scheduler runs the tasks: nothing of them is here');
  const { systemd, killUserProcesses = 'no', killFile, user, linger } = facts;
  if (systemd !== true) return ok('no systemd: nothing is ended at logout');
  const kills = /^(yes|true|1|on)$/i.test(killUserProcesses.trim());
  const logout = logoutOf(facts);
  const lingers = linger === true ? ', linger is on' : '';
  if (logout === 'kept') {
    return ok(
      kills ? `${user} is in KillExcludeUsers${lingers}` : `KillUserProcesses=no${lingers}`,
    );
  }
  if (logout === 'scope') {
    return ok(`KillUserProcesses=yes${lingers}: tasks run in scopes of the user's own manager`);
  }
  const words = `[Login]\\nKillExcludeUsers=root ${user}\\n`;
  return failure(`KillUserProcesses=yes in ${killFile}${lingers}`, {
    cause: `logind ends the tasks whenever the connection that started them closes; ${
      linger === true
        ? 'linger does not prevent that, since no scope of the user manager can be made'
        : 'loginctl enable-linger would let them run in scopes of the user manager'
    }`,
    remedy: asRoot(
      `mkdir -p /etc/systemd/logind.conf.d && printf ${quote(words)} > /etc/systemd/logind.conf.d/towline.conf; systemctl kill -s HUP systemd-logind`,
    ),
    code: 'TASK_INTERRUPTED',
  });
}

export function judgeTools({ facts }: Case): Judgement {
  if (facts === undefined) return undefined;
  const missing = Object.keys(NEEDED).filter((name) => facts.tools[name] === false);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((name) => NEEDED[name]))].join(', ');
    const remedy = inWords(`install ${packages} on the host`);
    return failure(`missing: ${missing.join(', ')}`, { code: 'HOST_TOOL_MISSING', remedy });
  }
  const lacking = Object.entries(WISHED).filter(([name]) => facts.tools[name] === false);
  if (lacking.length === 0) return ok('all there');
  return warning(`does without ${lacking.map(([name]) => name.replace('-', ' -')).join(', ')}`, {
    cause: lacking.map(([, meaning]) => meaning).join('; '),
    remedy: inWords('GNU coreutils have them'),
  });
}
