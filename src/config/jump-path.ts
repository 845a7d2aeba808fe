/**
 * The way to a host, hop by hop. The hops written in `jump` are passed in that order; how the first of
 * them is reached says its own `jump`, and so on, as `ssh -J` does it. A later hop's own `jump` does not
 * count: the way to it is already given. Pure.
 */
import type { Config, HostConfig } from './config.ts';
import { type Hop, parseHop } from './jump-hop.ts';

/** Why a way cannot be gone; continues "jump: ". */
export interface NoPath {
  what: string;
  /** The name that means no host. */
  unknown?: string;
  /** The name of the host that the way comes back to. */
  closes?: string;
}

type Hosts = Pick<Config, 'hosts' | 'jumpHosts'>;

/** The hops to a host, outermost first. Made for a configuration that loaded: every way is whole. */
export function jumpPath(config: Hosts, host: HostConfig): HostConfig[] {
  const path = findPath(config, host);
  return 'what' in path ? [] : path;
}

/** As jumpPath, or why there is none: a name that means no host, or a way that leads back. */
export function findPath(config: Hosts, host: HostConfig): HostConfig[] | NoPath {
  const path: HostConfig[] = [];
  const passed = [host.name];
  let next = host;
  while (next.jump.length > 0) {
    const hops = next.jump.map((text) => hopHost(config, text));
    for (const [index, hop] of hops.entries()) {
      const text = next.jump[index] ?? '';
      if (hop === undefined) return { what: `there is no section [host.${text}]`, unknown: text };
      if (hop.type === 'local') return { what: `${text} is a host of type local` };
      if (passed.includes(hop.name)) {
        const circle = [...passed, hop.name].join(', then over ');
        return { what: `the way leads in a circle: ${circle}`, closes: hop.name };
      }
      passed.push(hop.name);
    }
    const whole = hops.filter((hop) => hop !== undefined);
    path.unshift(...whole);
    next = whole[0] ?? host;
  }
  return path;
}

/** A bare word is the NAME of a section where there is one; everything else stands for itself. */
export function sectionOf(hop: Hop, names: readonly string[]): string | undefined {
  if (hop.user !== undefined || hop.port !== undefined) return undefined;
  return names.includes(hop.host) ? hop.host : undefined;
}

function hopHost({ hosts, jumpHosts }: Hosts, text: string): HostConfig | undefined {
  const hop = parseHop(text);
  if (hop === undefined) return undefined;
  const section = sectionOf(hop, Object.keys(hosts));
  return section === undefined ? jumpHosts[text] : hosts[section];
}
