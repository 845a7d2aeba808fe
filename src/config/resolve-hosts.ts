/**
 * The hosts of a configuration, filled: what a section leaves open is asked of OpenSSH's configuration,
 * and hosts that are only passed on the way to others are made.
 */
import type { Found, Surroundings } from './computed.ts';
import type { Config, DefaultsConfig, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import { parseHop } from './jump-hop.ts';
import { findPath, sectionOf } from './jump-path.ts';
import { loginNodeId, parseLoginNode } from './login-node.ts';
import { openOpensshFiles } from './openssh/files.ts';
import type { Note } from './openssh/lines.ts';
import { type OpensshQuestion, type OpensshValues, opensshValues } from './openssh/values.ts';
import type { Declared, Fill } from './resolve.ts';
import { HOST_PREFIX } from './section-names.ts';

/** The sections that a jump host without one, and a further login node, have in `sources`. */
export const JUMP_PREFIX = 'jump.';
export const NODE_PREFIX = 'node.';

interface Parts extends Declared {
  fill: Fill;
  around: Surroundings;
  /** By `section.key`; filled in here. */
  sources: Record<string, string>;
  defaults: DefaultsConfig;
}

/** What there is without any section of a host: this machine, which needs none. */
const IMPLICIT_HOST = 'local';

type Hosts = Pick<Config, 'hosts' | 'jumpHosts' | 'loginNodes' | 'notes'>;
type Named = Record<string, HostConfig>;

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
  const hosts: Named = Object.create(null);
  const loginNodes: Named = Object.create(null);
  for (const name of hostNames) {
    const host = sectionHost(parts, name, ask);
    hosts[name] = host;
    for (const text of host.hostnames.slice(1))
      loginNodes[loginNodeId(host, text)] = furtherNode(parts, { host, text, ask });
  }
  if (hostNames.length === 0) hosts[IMPLICIT_HOST] = thisMachine(parts);

  const jumpHosts: Named = Object.create(null);
  const all = { hosts, loginNodes, jumpHosts };
  const open: { section: string; host: HostConfig }[] = everyHost(all);
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { section, host } = next;
    for (const text of host.jump) {
      const known = Object.hasOwn(jumpHosts, text);
      const made = known ? undefined : hopHost(parts, { text, host, section, ask });
      if (made === undefined) continue;
      jumpHosts[text] = made;
      open.push({ section: `${JUMP_PREFIX}${text}`, host: made });
    }
  }
  for (const note of dropBadPaths(parts, all)) notes.set(note.what, note);
  return { ...all, notes: [...notes.values()] };
}

type All = Record<'hosts' | 'loginNodes' | 'jumpHosts', Named>;

/** Each with its section in `sources`, and where it stands. */
function everyHost({ hosts, loginNodes, jumpHosts }: All) {
  const groups = [
    { prefix: HOST_PREFIX, named: hosts },
    { prefix: NODE_PREFIX, named: loginNodes },
    { prefix: JUMP_PREFIX, named: jumpHosts },
  ];
  return groups.flatMap(({ prefix, named }) =>
    Object.entries(named).map(([key, host]) => ({ section: `${prefix}${key}`, host, named, key })),
  );
}

/** A way that OpenSSH's configuration gives and that cannot be gone is left out: no reason to stop a daemon. */
function* dropBadPaths({ winners, sources }: Parts, all: All): Generator<Note> {
  // First the hosts that are on the way to themselves: that opens the way of those behind them.
  for (const onlyCircles of [true, false]) {
    for (const { section, host, named, key } of everyHost(all)) {
      const isOurs = winners.has(`${HOST_PREFIX}${host.name}.jump`);
      const path = isOurs ? [] : findPath(all, host);
      if (!('what' in path)) continue;
      if (onlyCircles && path.closes !== host.name) continue;
      const id = `${section}.jump`;
      const [, file = '', line = '0'] = /^(.*):(\d+)$/.exec(sources[id] ?? '') ?? [];
      const what = `proxyjump for ${key}: ${path.what}; the host is reached without it`;
      yield { place: { file, line: Number(line) }, what };
      named[key] = { ...host, jump: [] };
      sources[id] = 'default';
    }
  }
}

type Ask = (question: OpensshQuestion) => OpensshValues;

function sectionHost(parts: Parts, name: string, ask: Ask): HostConfig {
  const { winners } = parts;
  const section = `${HOST_PREFIX}${name}`;
  const set = <T>(key: string): T | undefined =>
    winners.get(`${section}.${key}`)?.value as T | undefined;
  const local = set<string>('type') === 'local';
  const node = set<readonly string[]>('hostname')?.[0];
  const found = local ? {} : askedOfOpenssh(parts, { name, node, ask });
  return fillHost(parts, { name, section, found });
}

/** As the host itself, with what OpenSSH's configuration says of this node. */
function furtherNode(
  parts: Parts,
  { host, text, ask }: { host: HostConfig; text: string; ask: Ask },
): HostConfig {
  const { name } = host;
  const found = askedOfOpenssh(parts, { name, node: text, ask });
  const section = `${NODE_PREFIX}${loginNodeId(host, text)}`;
  const filled = fillHost(parts, { name, section, settingsOf: `${HOST_PREFIX}${name}`, found });
  return { ...filled, hostnames: [text] };
}

function askedOfOpenssh(
  { winners, defaults }: Parts,
  { name, node, ask }: { name: string; node: string | undefined; ask: Ask },
): Readonly<Record<string, Found>> {
  const set = <T>(key: string): T | undefined =>
    winners.get(`${HOST_PREFIX}${name}.${key}`)?.value as T | undefined;
  const own = winners.has(`${HOST_PREFIX}${name}.ssh_config`);
  const paths = (own ? set<readonly string[]>('ssh_config') : defaults.sshConfigFiles) ?? [];
  const { host: hostname, port } = node === undefined ? {} : (parseLoginNode(node) ?? {});
  const question = { alias: hostname ?? name, hostname, user: set<string>('user') };
  const { found } = ask({ paths, port: port ?? set<number>('port'), ...question });
  return asNodes(found);
}

/** OpenSSH knows one name for a host. */
function asNodes(found: OpensshValues['found']): Readonly<Record<string, Found>> {
  const { hostname } = found;
  return hostname === undefined
    ? found
    : { ...found, hostname: { ...hostname, value: [hostname.value] } };
}

function fillHost(
  { fill, defaults, sources }: Parts,
  gaps: { name: string; section: string; settingsOf?: string; found: Record<string, Found> },
): HostConfig {
  const source = sources['defaults.ssh_config'] ?? 'default';
  const found = { ssh_config: { value: defaults.sshConfigFiles, source }, ...gaps.found };
  const values = fill({ ...gaps, id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS, found });
  return { name: gaps.name, ...(values as Omit<HostConfig, 'name'>) };
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
  { text, host, section, ask }: { text: string; host: HostConfig; section: string; ask: Ask },
): HostConfig | undefined {
  const hop = parseHop(text);
  if (hop === undefined || sectionOf(hop, hostNames) !== undefined) return undefined;
  const paths = host.sshConfigFiles;
  const values = ask({ paths, alias: hop.host, user: hop.user, port: hop.port });
  const source = sources[`${section}.jump`] ?? '';
  const bare = text === hop.host && !/[.:]/.test(text);
  if (bare && !values.named && winners.has(`${HOST_PREFIX}${host.name}.jump`)) return undefined;
  const given: Record<string, Found> = {
    hostname: { value: [hop.host], source },
    ssh_config: { value: paths, source },
    ...asNodes(values.found),
  };
  if (hop.user !== undefined) given['user'] = { value: hop.user, source };
  if (hop.port !== undefined) given['port'] = { value: hop.port, source };
  const gaps = { section: `${JUMP_PREFIX}${text}`, id: `${HOST_PREFIX}NAME`, keys: HOST_KEYS };
  const filled = fill({ ...gaps, name: hop.host, found: given });
  return { name: text, ...(filled as Omit<HostConfig, 'name'>) };
}
