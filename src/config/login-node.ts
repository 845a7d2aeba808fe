/** The login nodes of a host, as they are written: hostname[:port], the one that is preferred first. */
import type { Config, HostConfig } from './config.ts';
import { HOSTNAME, parseHop } from './jump-hop.ts';
import { fitting, list, type ValueType } from './values.ts';

export interface LoginNode {
  host: string;
  /** Undefined: the `port` of the section counts. */
  port?: number | undefined;
}

const NODES_MAX = 16;

/** Undefined: this is no login node. */
export function parseLoginNode(text: string): LoginNode | undefined {
  // An IPv6 address may stand without brackets, and then its last colon begins no port.
  if (/:.*:/.test(text) && HOSTNAME.test(text)) return { host: text };
  const hop = parseHop(text);
  return hop === undefined || hop.user !== undefined
    ? undefined
    : { host: hop.host, port: hop.port };
}

/** What a further login node of a host is called in Config. */
export function loginNodeId(host: { name: string }, text: string): string {
  return `${host.name}/${text}`;
}

/** The login nodes of a host but the first, which the host itself stands for. */
export function furtherNodes(config: Pick<Config, 'loginNodes'>, host: HostConfig): HostConfig[] {
  return host.hostnames
    .slice(1)
    .flatMap((text) => config.loginNodes[loginNodeId(host, text)] ?? []);
}

const node = fitting(
  'hostname[:port]',
  (text) => parseLoginNode(text) !== undefined,
  'a DNS name, an IPv4 or an IPv6 address, with :port if need be; the user has a key of its own',
);
const several = list(node);

/** Kept as written: which port counts is known with the section only. */
export const loginNodes: ValueType<readonly string[]> = {
  ...several,
  schema: (context) =>
    several
      .schema(context)
      .refine((texts) => new Set(texts).size === texts.length, 'names a login node twice')
      .refine((texts) => texts.length <= NODES_MAX, `names more than ${NODES_MAX} login nodes`),
};
