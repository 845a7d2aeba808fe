/** From the name to the login. */

import {
  asTold,
  failure,
  here,
  inIni,
  inWords,
  type Judgement,
  ok,
  onHost,
  short,
  warning,
} from '../../domain/judgement.ts';
import type { AuthTry, LinkPlace } from '../../remote/host.ts';
import { quote } from '../../script/quote.ts';
import type { Case } from './case.ts';

/** What security people ask for since 2023, and what OpenSSH makes by itself. */
const RSA_BITS_MIN = 3072;
/** sshd ends a login after six refused keys; somebody else's agent may have added two. */
const TRIES_MAX = 3;

export function judgeName({ link: { resolution, place } }: Case): Judgement {
  if (resolution === undefined) return undefined;
  const jump = place?.jumps.at(-1);
  if (jump !== undefined) return ok(`${place?.hostname}, as jump host ${jump} knows it`);
  if (resolution.failure === undefined) return ok(resolution.found?.addresses.join(', ') ?? '');
  const { message, code } = resolution.failure;
  const cause = `${place?.hostname} is no name that this machine can resolve`;
  return failure(message, { cause, code, remedy: inIni('hostname = NAME_OR_ADDRESS') });
}

export function judgePort({ link: { tcp, place } }: Case): Judgement {
  if (tcp === undefined) return undefined;
  if (tcp.found !== undefined) {
    const ms = tcp.found.ms === undefined ? '' : `, connected in ${tcp.found.ms.toFixed(1)} ms`;
    const jumps = place?.jumps ?? [];
    const way = jumps.length === 0 ? '' : `, through ${jumps.join(', ')}`;
    return ok(`${tcp.found.address || place?.hostname} port ${place?.port}${ms}${way}`);
  }
  if (tcp.failure === undefined) return undefined;
  const { code, message } = tcp.failure;
  if (code === 'SSH_CONNECTION_REFUSED') {
    const cause = `nothing listens on port ${place?.port}, or a firewall refuses for it; on the host, ss -tln shows the port of sshd`;
    return failure(message, { code, cause, remedy: inIni('port = NUMBER') });
  }
  if (code !== 'SSH_HOST_UNREACHABLE') return asTold(tcp.failure);
  const cause = 'the host is down, the network is, or a firewall drops what is sent';
  return failure(message, {
    code,
    cause,
    remedy: here(`ping -c 3 ${quote(place?.hostname ?? '')}`),
  });
}

export function judgeBanner({ link: { banner } }: Case): Judgement {
  if (banner === undefined) return undefined;
  const { server = '', before = '' } = banner.found ?? {};
  const text = before === '' ? '' : `; text before it: ${short(before)}`;
  if (banner.failure === undefined) return ok(`${server}${text}`);
  const { code, message } = banner.failure;
  if (code === 'SSH_HOST_BUSY' || /Not allowed at this time|Exceeded MaxStartups/i.test(before)) {
    const cause = `sshd sends this address away for now: ${short(before)}`;
    const words =
      'wait a minute; if it stays, raise MaxStartups or PerSourcePenalties in sshd_config';
    return failure(message, { code, cause, remedy: inWords(words) });
  }
  const cause =
    before === '' ? 'it closes without a word' : `it is no SSH server: ${short(before)}`;
  return failure(message, { code, cause, remedy: inIni('port = NUMBER') });
}

export function judgeHostKey({ policy, link: { hostKey, place } }: Case): Judgement {
  if (hostKey === undefined || place === undefined) return undefined;
  const { offered = [], shown, pinned = [] } = hostKey.found ?? {};
  const types = offered.length === 0 ? '' : `; the server has ${offered.join(', ')}`;
  if (hostKey.failure === undefined) {
    if (shown === undefined)
      return ok(`not shown yet${types}; pinned: ${pinned.join(', ') || 'none'}`);
    const at = pinned.find((pin) => pin.startsWith(`${shown} `));
    return ok(`${at === undefined ? shown : at.replace(' at ', ', pinned at ')}${types}`);
  }
  const { code, message } = hostKey.failure;
  const trust = `towline host trust ${policy.name}`;
  const detail = `${message}${types}`;
  if (code === 'SSH_HOST_KEY_UNKNOWN') {
    const cause = `nobody has said yet that this is the key of ${policy.name}: compare the fingerprint with the site's first`;
    return failure(detail, { code, cause, remedy: here(trust) });
  }
  if (code !== 'SSH_HOST_KEY_CHANGED') return asTold({ ...hostKey.failure, message: detail });
  const cause =
    'another machine answers, or the host was installed anew: ask the site why, and replace the key only then';
  const file = String(hostKey.failure.context['knownHosts'] ?? '');
  // A line in Towline's own file is replaced by trust; the user's files are the user's to change.
  const remedy = place.knownHostsFiles.includes(file)
    ? `ssh-keygen -R ${quote(knownName(place))} -f ${quote(file)} && ${trust}`
    : `${trust} --replace`;
  return failure(detail, { code, cause, remedy: here(remedy) });
}

function knownName({ hostname, port, alias }: LinkPlace): string {
  if (alias !== undefined) return alias;
  return port === 22 ? hostname : `[${hostname}]:${port}`;
}

export function judgeLogin(found: Case): Judgement {
  const { auth, place } = found.link;
  if (auth === undefined) return undefined;
  const { methods = [], tries = [], banner = '' } = auth.found ?? {};
  const said = [
    methods.length > 0 && `the server takes ${methods.join(', ')}`,
    banner !== '' && `its banner: ${short(banner, 80)}`,
  ].filter((words) => words !== false);
  if (auth.failure === undefined) return judgeAccepted(tries, said);
  const { code, message } = auth.failure;
  const detail = [message, ...said].join('; ');
  if (code === 'SSH_KEY_UNREADABLE') return judgeKeyFile(found, detail);
  if (code !== 'SSH_AUTH_FAILED') return asTold({ ...auth.failure, message: detail });
  const publicKey = tries.find((one) => one.publicKey !== undefined)?.publicKey;
  if (publicKey === undefined || (methods.length > 0 && !methods.includes('publickey'))) {
    const cause = methods.includes('publickey') ? undefined : 'the server takes no keys';
    return asTold({ ...auth.failure, message: detail }, { cause });
  }
  if (tries.some(({ verdict }) => verdict === 'wants more')) {
    return asTold(
      { ...auth.failure, message: detail },
      { cause: 'a key alone is not enough here' },
    );
  }
  const cause = `authorized_keys of ${place?.user} does not hold the key, there is no such user, or sshd distrusts the modes of ~ and ~/.ssh`;
  const remedy = onHost(
    `mkdir -p -m 700 ~/.ssh && echo ${quote(publicKey)} >> ~/.ssh/authorized_keys && chmod 600 ~/.ssh/authorized_keys`,
  );
  return failure(detail, { code, cause, remedy });
}

function judgeAccepted(tries: AuthTry[], said: string[]): Judgement {
  const last = tries.at(-1);
  const which = tries.length > 1 ? ` (number ${tries.length} of those offered)` : '';
  const what = last === undefined ? 'without a key' : `${last.key ?? last.method}${which}`;
  const detail = [`accepted: ${what}`, ...said].join('; ');
  if (last?.rsaBits !== undefined && last.rsaBits < RSA_BITS_MIN) {
    const cause = `an RSA key of ${last.rsaBits} bits is too short; ${RSA_BITS_MIN} are asked for today`;
    return warning(detail, { cause, remedy: here('ssh-keygen -t ed25519') });
  }
  if (tries.length > TRIES_MAX) {
    const cause = `${tries.length - 1} keys were refused before it; sshd ends a login after six`;
    return warning(detail, { cause, remedy: inWords('name the right key first in identity_file') });
  }
  return ok(detail);
}

function judgeKeyFile({ link: { auth } }: Case, detail: string): Judgement {
  const { code, message, context } = auth?.failure ?? {};
  const file = String(context?.['file'] ?? '');
  const trouble = { code };
  if (/has mode \d+/.test(message ?? '')) {
    const cause = 'a key that others can read is not used';
    return failure(detail, { ...trouble, cause, remedy: here(`chmod 600 ${quote(file)}`) });
  }
  if (/passphrase/.test(message ?? '')) {
    const cause = `${file} is encrypted, and the daemon asks nobody: it reads the passphrase from a file of mode 0600`;
    return failure(detail, {
      ...trouble,
      cause,
      remedy: inIni('passphrase_file = FILE_WITH_THE_PASSPHRASE'),
    });
  }
  if (/no private key is there|is not there|no identity_file is set/.test(message ?? '')) {
    const cause = 'the file named is not there';
    return failure(detail, {
      ...trouble,
      cause,
      remedy: inIni('identity_file = PATH_OF_A_PRIVATE_KEY'),
    });
  }
  return failure(detail, { ...trouble, remedy: inIni('identity_file = PATH_OF_A_PRIVATE_KEY') });
}
