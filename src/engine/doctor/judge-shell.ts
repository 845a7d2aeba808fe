/** What the connection carries: the login shell, what it prints by itself, channels, SFTP, delay. */

import type { Remedy } from '../../domain/finding.ts';
import {
  asRoot,
  asTold,
  failure,
  inWords,
  type Judgement,
  ok,
  onHost,
  short,
  skipped,
  warning,
} from '../../domain/judgement.ts';
import { isPosixShell, STARTUP_FILES, shellName } from '../../domain/login-shell.ts';
import { quote } from '../../script/quote.ts';
import type { Case } from './case.ts';

const SLOW_SHELL_MS = 3_000;
const SLOW_LINK_MS = 300;
/** Control shell, SFTP, and a slow command or two. */
const CHANNELS_MIN = 4;
const EXTENSIONS = ['posix-rename', 'fsync', 'hardlink', 'statvfs', 'limits'];

/** Undefined: what reads our commands is a shell as POSIX has it, or said nothing of itself. */
export function otherReader({ link: { shell } }: Case): string | undefined {
  const reader = shellName(shell?.found?.reader ?? '');
  return reader === '' || isPosixShell(reader) ? undefined : reader;
}

function judgeOtherReader(reader: string, login = ''): Judgement {
  const file = STARTUP_FILES[shellName(login)]?.[0] ?? '.profile';
  const cause = `~/${file} starts ${reader} (exec) also where there is no terminal`;
  return failure(`${reader} reads the commands in the place of /bin/sh`, {
    code: 'HOST_SHELL_UNUSABLE',
    cause,
    remedy: onHost(`sed -i ${quote(`1i ${guardOf(file)}`)} ~/${file}`),
  });
}

export function judgeShell(found: Case): Judgement {
  const reader = otherReader(found);
  if (reader !== undefined) return judgeOtherReader(reader, found.link.shell?.found?.login);
  return judgeSameShell(found);
}

function judgeSameShell({ link: { shell, place }, facts, factsFailure }: Case): Judgement {
  if (shell === undefined && facts === undefined && factsFailure === undefined) return undefined;
  const { failure: refused, found } = shell ?? {};
  if (refused !== undefined) {
    const said = short(`${found?.noise ?? ''}\n${found?.stderr ?? ''}`);
    if (/not available|nologin|disabled/i.test(said)) {
      const cause = `the login shell of ${place?.user} lets nobody in; it says: ${said}`;
      const remedy = asRoot(`usermod --shell /bin/sh ${quote(place?.user ?? '')}`);
      return failure(refused.message, { code: 'HOST_SHELL_UNUSABLE', cause, remedy });
    }
    const words = said === '' ? '' : `; it says: ${said}`;
    const cause = `a forced command (ForceCommand in sshd_config, command= in authorized_keys), a start-up file that ends or replaces the shell (~/.bashrc, ~/.zshenv, ~/.cshrc, ~/.config/fish/config.fish), or a login shell that runs no commands stands in the way${words}`;
    const remedy = inWords(
      `remove ForceCommand for ${place?.user} from sshd_config and reload sshd, or command="…" from ~/.ssh/authorized_keys, or exit and exec from the start-up file`,
    );
    return failure(refused.message, { code: 'HOST_SHELL_UNUSABLE', cause, remedy });
  }
  if (facts === undefined) return factsFailure && asTold(factsFailure);
  const took =
    found === undefined ? '' : `, first answer after ${Math.round(found.firstAnswerMs)} ms`;
  const detail = `${facts.loginShell ?? 'unknown'} of ${facts.user}@${facts.hostname}${took}`;
  if ((found?.firstAnswerMs ?? 0) <= SLOW_SHELL_MS) return ok(detail);
  const cause = 'its start-up files take long, at each connection';
  return warning(detail, {
    cause,
    remedy: inWords(`shorten ${rcFile(facts)} for shells without a terminal`),
  });
}

export function judgeNoise({ link: { shell, sftp }, facts }: Case): Judgement {
  if (facts === undefined || shell === undefined) return undefined;
  const printed = [sftp?.found?.noise, shell.found?.noise].find((text) => text) ?? '';
  const stderr = shell.found?.stderr ?? '';
  if (printed.trim() === '') {
    return ok(
      stderr.trim() === '' ? 'none' : `none but on stderr, which does no harm: ${short(stderr)}`,
    );
  }
  const file = rcFile(facts);
  const line = facts.rcFiles[0]?.line;
  const bytes = Buffer.byteLength(printed);
  const detail = `${bytes} bytes before the first answer: ${JSON.stringify(short(printed, 60))}`;
  const cause = `${file} prints without a terminal${line === undefined ? '' : `, line ${short(line, 100)}`}`;
  const trouble = { cause, remedy: silence(file, facts.home) };
  // SFTP cannot bear a single byte of it, the control shell can.
  const breaks = (sftp?.found?.noise ?? '') !== '';
  return breaks
    ? failure(detail, { ...trouble, code: 'HOST_SHELL_UNUSABLE' })
    : warning(detail, trouble);
}

/** The start-up file that prints; when none does, the one this shell reads. */
function rcFile({ rcFiles, loginShell = '', home }: NonNullable<Case['facts']>): string {
  const [first] = rcFiles;
  if (first !== undefined) return first.path;
  return `${home}/${STARTUP_FILES[shellName(loginShell)]?.[0] ?? '.profile'}`;
}

function silence(file: string, home: string): Remedy {
  const command = `sed -i ${quote(`1i ${guardOf(file)}`)} ${quote(file)}`;
  return file.startsWith(`${home}/`) ? onHost(command) : asRoot(command);
}

/** A first line that ends the file for shells without a terminal. */
function guardOf(file: string): string {
  const name = shellName(file);
  if (/cshrc$/.test(name)) return 'if ( ! $?prompt ) exit';
  if (/\.fish$/.test(name)) return 'status is-interactive; or return';
  if (/^(rc|sshrc)$/.test(name)) return 'exec >/dev/null';
  return 'case $- in *i*) ;; *) return ;; esac';
}

export function judgeChannels({ link: { sessions, place } }: Case): Judgement {
  if (sessions?.found === undefined) return sessions?.failure && asTold(sessions.failure);
  const { open, limited } = sessions.found;
  if (!limited) return ok(`at least ${open} at once`);
  if (open >= CHANNELS_MIN) return ok(`${open} at once`);
  const cause = `MaxSessions ${open} in sshd_config: a connection more, and a login, for each channel that is missing`;
  const remedy = inWords(
    `set MaxSessions 10 in /etc/ssh/sshd_config of ${place?.hostname} and reload sshd`,
  );
  return warning(`${open} at once`, { cause, remedy });
}

export function judgeSftp(found: Case): Judgement {
  const { sftp, shell, place } = found.link;
  if (sftp === undefined) return undefined;
  // sshd starts its SFTP server by the login shell, too.
  const noShell = shell?.failure !== undefined || otherReader(found) !== undefined;
  if (noShell && sftp.failure !== undefined) return undefined;
  if ((sftp.found?.noise ?? '') !== '')
    return skipped('not looked at: noise stands before its first packet');
  if (sftp.failure !== undefined) {
    const { message, code } = sftp.failure;
    const cause = 'sshd has no SFTP subsystem, or the program it names does not run';
    const remedy = inWords(
      `set Subsystem sftp internal-sftp in /etc/ssh/sshd_config of ${place?.hostname} and reload sshd`,
    );
    return failure(message, {
      code: code === 'SSH_CONNECTION_LOST' ? code : 'SFTP_FAILED',
      cause,
      remedy,
    });
  }
  const names = (sftp.found?.extensions ?? []).map((name) => name.replace(/@.*/, ''));
  const lacks = EXTENSIONS.filter((name) => !names.includes(name));
  const has = EXTENSIONS.filter((name) => names.includes(name));
  return ok(
    `has ${has.join(', ') || 'no extension'}${lacks.length === 0 ? '' : `; does without ${lacks.join(', ')}`}`,
  );
}

export function judgeRoundTrip({ link: { roundTrip } }: Case): Judgement {
  if (roundTrip?.found === undefined) return undefined;
  const { ms } = roundTrip.found;
  const detail = `${ms.toFixed(1)} ms`;
  if (ms <= SLOW_LINK_MS) return ok(detail);
  return warning(detail, { cause: 'the way is long or busy: each step of a task waits for it' });
}
