/**
 * From what OpenSSH's configuration says of a host to values of [host.NAME] keys, each with the line it
 * came from. A value that does not fit is noted and not taken.
 */
import { hostname as localHostname } from 'node:os';
import { type Parsed, shown } from '../../domain/shown.ts';
import { currentUser, type Found, type Surroundings } from '../computed.ts';
import { HOSTNAME, parseHop, USER } from '../jump-hop.ts';
import { type Answer, evaluate, type Question } from './evaluate.ts';
import type { OpensshFiles } from './files.ts';
import type { Line, Note } from './lines.ts';
import { expandPath, expandTokens, type Tokens } from './tokens.ts';

/** What the configuration of Towline says itself; the rest is asked of the files. */
export interface OpensshQuestion {
  paths: readonly string[];
  alias: string;
  user?: string | undefined;
  port?: number | undefined;
  hostname?: string | undefined;
}

export interface OpensshValues {
  /** By key of [host.NAME]. */
  found: Readonly<Record<string, Found>>;
  named: boolean;
  notes: readonly Note[];
}

type Taken = Parsed<{ key: string; value: unknown } | undefined>;

interface Reader {
  around: Surroundings;
  answer: Answer;
  tokens: Tokens;
}

export function opensshValues(
  files: OpensshFiles,
  question: OpensshQuestion,
  around: Surroundings,
): OpensshValues {
  const localUser = currentUser(around.env);
  const asked: Question = { alias: question.alias, user: question.user, localUser };
  const answer = evaluate(files, question.paths, asked);
  const notes = [...answer.notes];
  const found: Record<string, Found> = Object.create(null);
  const take = (keyword: string, read: (line: Line) => Taken): void => {
    const line = answer.values.get(keyword)?.[0];
    if (line === undefined) return;
    const taken = read(line);
    if ('problem' in taken) {
      notes.push({
        place: line.place,
        what: `${keyword}: ${taken.problem}; the value is not taken`,
      });
    } else if (taken.value !== undefined) {
      const { key, value } = taken.value;
      found[key] = { value, source: `${line.place.file}:${line.place.line}` };
    }
  };
  const plain = { h: question.alias };
  take('hostname', (line) => hostnameOf(line, plain));
  take('user', (line) => fitting('user', line, (text) => USER.test(text)));
  take('port', portOf);
  take('hostkeyalias', (line) => fitting('host_key_alias', line, (text) => HOSTNAME.test(text)));
  const tokens = tokensOf(question, { found, localUser, home: around.home });
  const reader: Reader = { around, answer, tokens };
  take('identityfile', () => identityFiles(reader, notes));
  take('identityagent', (line) => agentOf(line, reader));
  take('userknownhostsfile', (line) => knownHosts(line, reader));
  if (!answer.values.has('userknownhostsfile'))
    take('globalknownhostsfile', (line) => knownHosts(line, reader));
  take('proxyjump', (line) => jumpOf(line, tokens));
  notes.push(...neverRun(answer));
  return { found, named: answer.named, notes };
}

function tokensOf(
  { alias, hostname, user, port }: OpensshQuestion,
  facts: { found: Readonly<Record<string, Found>>; localUser: string; home: string },
): Tokens {
  const { found, localUser, home } = facts;
  const pick = (key: string, given: string | undefined, otherwise: string): string =>
    given ?? text(found[key]?.value) ?? otherwise;
  const target = pick('hostname', hostname, alias);
  const machine = localHostname();
  return {
    h: target,
    k: pick('host_key_alias', undefined, alias),
    n: alias,
    r: pick('user', user, localUser),
    p: pick('port', port?.toString(), '22'),
    u: localUser,
    d: home,
    i: String(process.getuid?.() ?? ''),
    l: machine,
    L: machine.split('.')[0] ?? machine,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function first(line: Line): string {
  return line.args[0] ?? '';
}

function fitting(key: string, line: Line, fits: (text: string) => boolean): Taken {
  const value = first(line);
  return fits(value) ? { value: { key, value } } : { problem: `${shown(value)} is not usable` };
}

function hostnameOf(line: Line, tokens: Tokens): Taken {
  const expanded = expandTokens(first(line), tokens);
  if ('problem' in expanded) return expanded;
  const { value } = expanded;
  if (!HOSTNAME.test(value)) return { problem: `${shown(value)} is not a name or address` };
  return { value: { key: 'hostname', value } };
}

function portOf(line: Line): Taken {
  const value = /^\d{1,5}$/.test(first(line)) ? Number(first(line)) : 0;
  if (value < 1 || value > 65_535) return { problem: `${shown(first(line))} is not a port` };
  return { value: { key: 'port', value } };
}

function identityFiles(reader: Reader, notes: Note[]): Taken {
  const files: string[] = [];
  for (const line of reader.answer.values.get('identityfile') ?? []) {
    if (first(line).toLowerCase() === 'none') continue;
    const path = expandPath(first(line), { ...reader, ...reader.around });
    if ('value' in path) files.push(path.value);
    else notes.push({ place: line.place, what: `identityfile: ${path.problem}; it is not taken` });
  }
  return { value: { key: 'identity_file', value: files } };
}

function agentOf(line: Line, reader: Reader): Taken {
  const text = first(line);
  const { env } = reader.around;
  if (text.toLowerCase() === 'none') return { value: { key: 'identity_agent', value: undefined } };
  if (text === 'SSH_AUTH_SOCK') return { value: undefined };
  const variable = /^\$([A-Za-z_]\w*)$/.exec(text)?.[1];
  const path = variable === undefined ? text : env[variable];
  if (path === undefined) return { problem: `the variable ${shown(text)} is not set` };
  const expanded = expandPath(path, { ...reader, ...reader.around });
  if ('problem' in expanded) return expanded;
  return { value: { key: 'identity_agent', value: expanded.value } };
}

/** ssh keeps the files of the user and of the system apart; the one silent here has its default there, too. */
function knownHosts(_: Line, reader: Reader): Taken {
  const { home } = reader.around;
  const given = (keyword: string, otherwise: string[]): string[] =>
    [...(reader.answer.values.get(keyword)?.[0]?.args ?? otherwise)].filter(
      (text) => text.toLowerCase() !== 'none',
    );
  const own = given('userknownhostsfile', [`${home}/.ssh/known_hosts`]);
  const system = given('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts']);
  const files: string[] = [];
  for (const text of [...own, ...system]) {
    const path = expandPath(text, { ...reader, ...reader.around });
    if ('problem' in path) return path;
    files.push(path.value);
  }
  return { value: { key: 'known_hosts', value: files } };
}

function jumpOf(line: Line, tokens: Tokens): Taken {
  const text = first(line);
  if (text.toLowerCase() === 'none') return { value: { key: 'jump', value: [] } };
  const expanded = expandTokens(text, tokens);
  if ('problem' in expanded) return expanded;
  const hops = expanded.value
    .split(',')
    .map((hop) => hop.trim().replace(/^ssh:\/\/([^/]*)\/?$/, '$1'));
  const bad = hops.find((hop) => parseHop(hop) === undefined);
  if (bad !== undefined) return { problem: `${shown(bad)} is not [user@]hostname[:port]` };
  return { value: { key: 'jump', value: hops } };
}

/** Commands that ssh would run and Towline does not. */
function neverRun({ values }: Answer): Note[] {
  const proxy = values.get('proxycommand')?.[0];
  const jump = values.get('proxyjump')?.[0];
  const keys = values.get('knownhostscommand')?.[0];
  const notes: Note[] = [];
  if (proxy !== undefined && jump === undefined && first(proxy).toLowerCase() !== 'none') {
    const what =
      'proxycommand: no command is ever run; if the host is behind another one, set jump';
    notes.push({ place: proxy.place, what });
  }
  if (keys !== undefined && first(keys).toLowerCase() !== 'none')
    notes.push({ place: keys.place, what: 'knownhostscommand: no command is ever run' });
  return notes;
}
