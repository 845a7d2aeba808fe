/** The keys of [ssh], as dagon.ini files have them: other names for keys of [host.ssh]. */
import { port, user } from './host-keys.ts';
import type { KeyTable } from './key-table.ts';
import { loginNodes } from './login-node.ts';

export const SSH_KEYS = {
  remote_ip: {
    field: 'hostnames',
    sets: 'hostname',
    type: loginNodes,
    doc: 'The same as hostname in [host.ssh].',
    example: '192.0.2.20',
    otherwise: { absent: 'none, it must be there' },
  },
  ssh_user: {
    field: 'user',
    sets: 'user',
    type: user,
    doc: 'The same as user in [host.ssh].',
    example: 'bob',
    otherwise: { absent: 'the user of the daemon' },
  },
  ssh_port: {
    field: 'port',
    sets: 'port',
    type: port,
    doc: 'The same as port in [host.ssh].',
    example: '2222',
    otherwise: { absent: '22' },
  },
} as const satisfies KeyTable;
