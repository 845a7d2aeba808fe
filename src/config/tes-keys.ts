/** The keys of [tes]: the door for clients of GA4GH TES. */
import type { KeyTable } from './key-table.ts';
import { fitting, list, localPath, matching, text } from './values.ts';

const PORT_MAX = 65_535;

export const TES_KEYS = {
  listen: {
    field: 'listen',
    type: fitting('ADDRESS:PORT', isEndpoint, 'an IP address and a port, like 127.0.0.1:8002'),
    doc: 'Where clients of GA4GH TES are served over TCP, with a token (towline tes token). Another address than one of this machine alone needs tls_cert and tls_key.',
    example: '127.0.0.1:8002',
    otherwise: { absent: 'on the socket of the daemon only, below /ga4gh/tes/v1' },
  },
  roots: {
    field: 'roots',
    type: list(localPath),
    doc: 'Directories of this machine whose files TES tasks may read and write, by file:// or by path.',
    example: '/home/alice/work, /data',
    otherwise: { absent: 'on the socket all, over TCP none' },
  },
  names: {
    field: 'names',
    type: list(
      matching(
        'host name',
        /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
        'the name of a host',
      ),
    ),
    doc: 'Names by which clients call this machine; requests for others are refused, whatever brought them here.',
    example: 'tes.example.org',
    otherwise: { absent: 'the address of listen and localhost' },
  },
  organization: {
    field: 'organization',
    type: text,
    doc: 'Who runs this service, as service-info tells it to clients.',
    example: 'Example Lab',
    otherwise: { absent: 'Towline' },
  },
  organization_url: {
    field: 'organizationUrl',
    type: fitting('URL', isWebAddress, 'an address that begins with http:// or https://'),
    doc: 'The page of the organization, as service-info tells it to clients.',
    example: 'https://lab.example.org/',
    otherwise: { absent: "an address that is nobody's" },
  },
  tls_cert: {
    field: 'tlsCert',
    type: localPath,
    doc: 'The certificate of the listener and those that lead to its authority, as PEM.',
    example: '/etc/towline/tes.pem',
    otherwise: { absent: 'plain HTTP' },
  },
  tls_key: {
    field: 'tlsKey',
    type: localPath,
    doc: 'The key of tls_cert, as PEM; nobody else may read it.',
    example: '/etc/towline/tes.key',
    otherwise: { absent: 'plain HTTP' },
  },
} as const satisfies KeyTable;

function isWebAddress(value: string): boolean {
  return /^https?:\/\/\S+$/.test(value) && URL.canParse(value);
}

function isEndpoint(value: string): boolean {
  const [, ipv6, ipv4 = '', port = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(value) ?? [];
  const isAddress = ipv6 !== undefined || /^(?:\d{1,3}\.){3}\d{1,3}$/.test(ipv4);
  return isAddress && Number(port) <= PORT_MAX;
}
