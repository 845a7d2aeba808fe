/**
 * The hosts of a configuration, filled: what a section leaves open is asked of OpenSSH's configuration,
 * and hosts that are only passed on the way to others are made.
 */
import type { Found, Surroundings } from './computed.ts';
import type { Config, DefaultsConfig, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import { parseHop } from './jump-hop.ts';
import { findPath, sectionOf } from './jump-path.ts';
import { openOpensshFiles } from './openssh/files.ts';
import type { Note } from './openssh/lines.ts';
import { type OpensshQuestion, type OpensshValues, opensshValues } from './openssh/values.ts';
import type { Declared, Fill } from './resolve.ts';
import { HOST_PREFIX } from './section-names.ts';

/** The section that a jump host without one has in `sources`. */
export const JUMP_PREFIX = 'jump.';

interface Parts extends Declared {
  fill: Fill;
  around: Surroundings;
  /** By `section.key`; filled in here. */
  sources: Record<string, string>;
  defaults: DefaultsConfig;
}

/** What there is without any section of a host: this machine, which needs none. */
const IMPLICIT_HOST = 'local';

type Hosts = Pick<Config, 'hosts' | 'jumpHosts' | 'notes'>;

const NOTHING: OpensshValues = { found: {}, named: false, notes: [] };

export function resolveHosts(parts: Parts): Hosts {
  const { hostNames, around } = parts;
  const files = openOpensshFiles(around.home);
  const notes = new Map<string, Note>();
  const ask = (question: OpensshQuestion): OpensshValues => {
    if (question.paths.length === 0) return NOTHING;
    const values = opensshValues(files, question, around);
    for (const note of values.notes)
      notes.set(`${note.place.file}:${note.place.line} ${note.what}`, note);
    return values;
  };
  const hosts: Record<string, HostConfig> = Object.create(null);
  for (const name of hostNames) hosts[name] = sectionHost(parts, name, ask);
  if (hostNames.length === 0) hosts[IMPLICIT_HOST] = thisMachine(parts);

  const jumpHosts: Record<string, HostConfig> = Object.create(null);
  const open = Object.values(hosts);
  for (let host = open.shift(); host !== undefined; host = open.shift()) {
    for (const text of host.jump) {
      const made = Object.hasOwn(jumpHosts, text) ? undefined : hopHost(parts, { text, host, ask });
      if (made === undefined) continue;
      jumpHosts[text] = made;
      open.push(made);
    }
  }
  for (const note of dropBadPaths(parts, { hosts, jumpHosts })) notes.set(note.what, note);
  return { hosts, jumpHosts, notes: [...notes.values()] };
}

/** A way that OpenSSH's configuration gives and that cannot be gone is left out: no reason to stop a daemon. */
function* dropBadPaths(
  { winners, sources }: Parts,
  all: { hosts: Record<string, HostConfig>; jumpHosts: Record<string, HostConfig> },
): Generator<Note> {
  const groups = [
    [HOST_PREFIX, all.hosts],
    [JUMP_PREFIX, all.jumpHosts],
  ] as const;
  const every = groups.flatMap(([prefix, hosts]) =>
    Object.keys(hosts).map((name) => ({ hosts, name, id: `${prefix}${name}.jump` })),
  );
  // First the hosts that are on the way to themselves: that opens the way of those behind them.
  for (const onlyCircles of [true, false]) {
    for (const { hosts, name, id } of every) {
      const host = hosts[name];
      const path = host === undefined || winners.has(id) ? [] : findPath(all, host);
      if (host === undefined || !('what' in path)) continue;
      if (onlyCircles && path.closes !== name) continue;
      const [, file = '', line = '0'] = /^(.*):(\d+)$/.exec(sources[id] ?? '') ?? [];
      const what = `proxyjump for ${name}: ${path.what}; the host is reached without it`;
      yield { place: { file, line: Number(line) }, what };
      hosts[name] = { ...host, jump: [] };
      sources[id] = 'default';
    }
  }
}

type Ask = (question: OpensshQuestion) => OpensshValues;

function sectionHost(parts: Parts, name: string, ask: Ask): HostConfig {
  const { fill, winners, defaults, sources } = parts;
  const section = `${HOST_PREFIX}${name}`;
  const set = <T>(key: string): T | undefined =>
    winners.get(`${section}.${key}`)?.value as T | undefined;
  const fallback = winners.has(`${section}.ssh_config`) ? undefined : defaults.sshConfigFiles;
  const paths = fallback ?? set<readonly string[]>('ssh_config') ?? [];
  const hostname = set<string>('hostname');
  const local = set<string>('type') === 'local';
  const question = { alias: hostname ?? name, hostname, user: set<string>('user') };
  const { found } = local ? NOTHING : ask({ paths, port: set<number>('port'), ...question });
  const source = sources['defaults.ssh_config'] ?? 'default';
  const inherited = { ssh_config: { value: defaults.sshConfigFiles, source } };
  const gaps = { section, id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS, name };
  const values = fill({ ...gaps, found: { ...inherited, ...found } });
  return { name, ...(values as Omit<HostConfig, 'name'>) };
}

function thisMachine({ fill }: Parts): HostConfig {
  const name = IMPLICIT_HOST;
  const found = { type: { value: 'local', source: 'default' } };
  const gaps = { section: `${HOST_PREFIX}${name}`, id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS };
  const values = fill({ ...gaps, name, found });
  return { name, ...(values as Omit<HostConfig, 'name'>) };
}

/** Undefined: the hop is a section, or a bare word that nothing knows (agree.ts says so). */
function hopHost(
  { fill, hostNames, winners, sources }: Parts,
  { text, host, ask }: { text: string; host: HostConfig; ask: Ask },
): HostConfig | undefined {
  const hop = parseHop(text);
  if (hop === undefined || sectionOf(hop, hostNames) !== undefined) return undefined;
  const paths = host.sshConfigFiles;
  const values = ask({ paths, alias: hop.host, user: hop.user, port: hop.port });
  const section = hostNames.includes(host.name) ? HOST_PREFIX : JUMP_PREFIX;
  const source = sources[`${section}${host.name}.jump`] ?? '';
  const bare = text === hop.host && !/[.:]/.test(text);
  if (bare && !values.named && winners.has(`${section}${host.name}.jump`)) return undefined;
  const given: Record<string, Found> = {
    hostname: { value: hop.host, source },
    ssh_config: { value: paths, source },
    ...values.found,
  };
  if (hop.user !== undefined) given['user'] = { value: hop.user, source };
  if (hop.port !== undefined) given['port'] = { value: hop.port, source };
  const gaps = { section: `${JUMP_PREFIX}${text}`, id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS };
  const filled = fill({ ...gaps, name: hop.host, found: given });
  return { name: text, ...(filled as Omit<HostConfig, 'name'>) };
}
