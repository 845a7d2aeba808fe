/** A host reached by a port of this machine: a virtual machine's or a tunnel's, which leads somewhere else. */
import { inIni, type Judgement, ok, short, warning } from '../../domain/judgement.ts';
import type { Case } from './case.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
const HOW = 'VirtualBox natpf, QEMU hostfwd, ssh -L';

export function judgeForwarding({ link: { place, tcp, banner, hostKey } }: Case): Judgement {
  if (place === undefined) return undefined;
  const { hostname, port, jumps } = place;
  if (!LOOPBACK.test(hostname) || jumps.length > 0) {
    return tcp?.found === undefined ? undefined : ok(`${hostname} is no port of this machine`);
  }
  const there = `${hostname} port ${port}`;
  if (tcp?.failure !== undefined) {
    return warning(`nothing is forwarded: ${there} is closed`, {
      cause: `the virtual machine or the tunnel is down, or it forwards another port (${HOW})`,
      remedy: inIni('port = NUMBER'),
    });
  }
  if (banner?.failure !== undefined) {
    const said = short(banner.found?.before ?? '');
    return warning(`${there} leads to no SSH server${said === '' ? '' : `: ${said}`}`, {
      cause: `it is another program's port, or the forwarding (${HOW}) leads to a port of the machine where no sshd listens; it is 22 as a rule`,
      remedy: inIni('port = NUMBER'),
    });
  }
  if (hostKey?.failure?.code === 'SSH_HOST_KEY_CHANGED') {
    return warning(`${there} leads to a machine with another key than before`, {
      cause: 'machines that take turns on one forwarded port are kept apart by a name for each key',
      remedy: inIni('host_key_alias = NAME_OF_THE_MACHINE'),
    });
  }
  const server = banner?.found?.server ?? '';
  const key = hostKey?.found?.shown;
  return ok(`${there} leads to ${server || 'a server'}${key === undefined ? '' : `, key ${key}`}`);
}
