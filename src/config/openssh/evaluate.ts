/**
 * What OpenSSH's client configuration says of one host, by ssh's own rules: the first value of a keyword
 * counts, identity files add up, blocks that do not match are passed over, a `Match final` asks for a
 * second reading. Values stay as written; values.ts gives them their meaning.
 */
import { matchesPatterns } from '../../domain/wildcards.ts';
import type { OpensshFiles } from './files.ts';
import type { Line, Note } from './lines.ts';
import { type Asked, matchLine } from './match.ts';

export interface Question {
  /** As it would be typed after `ssh`. */
  alias: string;
  /** Given elsewhere, as by -l on ssh's command line: counts before any file. */
  user?: string | undefined;
  localUser: string;
}

export interface Answer {
  /** By keyword in lower case, the lines that count: several for identityfile, one for the others. */
  values: ReadonlyMap<string, readonly Line[]>;
  /** A Host line names this host, and not by `*` alone. */
  named: boolean;
  notes: readonly Note[];
}

const INCLUDE_DEPTH_MAX = 16;
const ADDING = 'identityfile';

/** Reads `paths` in order as one configuration. */
export function evaluate(
  files: OpensshFiles,
  paths: readonly string[],
  question: Question,
): Answer {
  const reading = new Reading(files, question);
  reading.readAll(paths, false);
  if (reading.wantsFinal) reading.readAll(paths, true);
  return reading;
}

class Reading implements Answer {
  readonly values = new Map<string, Line[]>();
  readonly notes: Note[] = [];
  named = false;
  wantsFinal = false;
  readonly #files: OpensshFiles;
  readonly #question: Question;
  readonly #noted = new Set<string>();

  constructor(files: OpensshFiles, question: Question) {
    this.#files = files;
    this.#question = question;
  }

  readAll(paths: readonly string[], final: boolean): void {
    for (const path of paths) this.#read(path, { final, depth: 0, active: true });
  }

  #read(path: string, state: { final: boolean; depth: number; active: boolean }): void {
    const { lines, notes } = this.#files.read(path);
    for (const note of notes) this.#note(note);
    let { active } = state;
    for (const line of lines) {
      if (line.keyword === 'host') active = state.active && this.#isHost(line, state.final);
      else if (line.keyword === 'match') active = state.active && this.#isMatch(line, state.final);
      else if (line.keyword === 'include') this.#include(line, { ...state, active });
      // ssh knows where it goes before it reads a second time.
      else if (active && !(state.final && line.keyword === 'hostname')) this.#take(line);
    }
  }

  #include(line: Line, state: { final: boolean; depth: number; active: boolean }): void {
    if (!state.active) return;
    if (state.depth >= INCLUDE_DEPTH_MAX) {
      this.#note({ place: line.place, what: 'include: too deep; the line is passed over' });
      return;
    }
    for (const pattern of line.args) {
      for (const path of this.#files.included(pattern, line.place.file))
        this.#read(path, { ...state, depth: state.depth + 1 });
    }
  }

  #take(line: Line): void {
    const before = this.values.get(line.keyword) ?? [];
    if (before.length > 0 && line.keyword !== ADDING) return;
    if (before.some((known) => known.args[0] === line.args[0])) return;
    this.values.set(line.keyword, [...before, line]);
  }

  #isHost(line: Line, final: boolean): boolean {
    const { alias } = this.#question;
    if (!matchesPatterns(line.args, final ? this.#asked(final).hostname : alias)) return false;
    const pointed = line.args.filter((pattern) => !/^[*?]*$/.test(pattern));
    this.named ||= matchesPatterns(pointed, alias);
    return true;
  }

  #isMatch(line: Line, final: boolean): boolean {
    const { matches, unjudged, wantsFinal } = matchLine(line.args, this.#asked(final));
    this.wantsFinal ||= wantsFinal;
    if (unjudged !== undefined) {
      const why = unjudged === 'exec' ? 'no command is ever run' : 'this is not supported';
      const what = `match ${unjudged}: ${why}, so the block does not count`;
      this.#note({ place: line.place, what });
    }
    return matches;
  }

  #asked(final: boolean): Asked {
    const { alias, user, localUser } = this.#question;
    const value = (keyword: string): string | undefined => this.values.get(keyword)?.[0]?.args[0];
    const hostname = value('hostname')?.replaceAll(/%([%h])/g, (_, sign: string) =>
      sign === 'h' ? alias : '%',
    );
    return {
      alias,
      hostname: hostname ?? alias,
      user: user ?? value('user') ?? localUser,
      localUser,
      final,
    };
  }

  #note(note: Note): void {
    const id = `${note.place.file}:${note.place.line} ${note.what}`;
    if (this.#noted.has(id)) return;
    this.#noted.add(id);
    this.notes.push(note);
  }
}
