/**
 * The configuration. What comes in: INI files, the environment, the home directory. What goes out:
 * one complete, typed, deep-frozen Config that knows where each value came from, or one AppError
 * that lists every line to mend. Never here: connecting, creating directories, secrets, watching files;
 * loading twice is how a reload is done. Read next: keys.ts (the table of all keys), scan.ts, check.ts.
 */

import { isAbsolute } from 'node:path';
import { AppError } from '../domain/failure.ts';
import { shown } from '../domain/shown.ts';
import { disagreements, sshSectionProblems } from './agree.ts';
import { checkScan } from './check.ts';
import type { Config } from './config.ts';
import { readDagon } from './dagon.ts';
import { explain } from './explain.ts';
import { type FileChoice, readFiles } from './read.ts';
import { pickWinners, resolveConfig } from './resolve.ts';
import { scanIni } from './scan.ts';
import { HOST_PREFIX } from './section-names.ts';
import { slurmDisagreements } from './slurm-agree.ts';
import { tesDisagreements } from './tes-agree.ts';

export type LoadOptions = FileChoice;

/**
 * Reads /etc/towline/towline.ini and then ~/.config/towline/towline.ini where they exist (of two that
 * set a key the later wins), or exactly the files given here or by $TOWLINE_CONFIG.
 * @throws CONFIG_FILE_UNREADABLE CONFIG_SYNTAX CONFIG_SECTION_UNKNOWN CONFIG_KEY_UNKNOWN
 * CONFIG_VALUE_INVALID: the code of the first problem; the message has a line for each.
 */
export function loadConfig(options: LoadOptions): Config {
  const { env, home } = options;
  if (!isAbsolute(home)) {
    throw new AppError(
      'CONFIG_VALUE_INVALID',
      `the home directory ${shown(home)} is not an absolute path; set HOME`,
    );
  }
  const { sources, problems } = readFiles(options);
  const scans = sources.map(({ file, text }) => scanIni(file, text));
  const checks = scans.map((scan) => checkScan(scan, { home, env }));
  const dagons = scans.map((scan, index) =>
    readDagon(scan, checks[index]?.settings ?? [], { home, env }),
  );
  const sections = scans.flatMap((scan, index) => [
    ...scan.sections,
    ...(dagons[index]?.sections ?? []),
  ]);
  const settings = checks.flatMap((check, index) => [
    ...check.settings,
    ...(dagons[index]?.settings ?? []),
  ]);
  const files = sources.map(({ file }) => file);

  problems.push(
    ...scans.flatMap((scan) => scan.problems),
    ...checks.flatMap((check) => check.problems),
    ...dagons.flatMap((dagon) => dagon.problems),
  );
  // What is incomplete cannot be asked whether it agrees.
  if (problems.length > 0) throw explain(problems, files);

  const winners = pickWinners(settings);
  const names = sections.map(({ name }) => name);
  const declared = { winners, hostNames: hostNames(names), sections: names, files };
  const config = resolveConfig(declared, { env, home });
  const conflicts = [
    ...sshSectionProblems(sections, settings),
    ...disagreements(config, winners),
    ...slurmDisagreements(config, winners, sections),
    ...tesDisagreements(config, winners),
  ];
  if (conflicts.length > 0) throw explain(conflicts, files);
  const notes = [...dagons.flatMap((dagon) => dagon.notes), ...config.notes];
  return deepFreeze({ ...config, notes });
}

function hostNames(sections: readonly string[]): string[] {
  const names = sections.map((name) => (name === 'ssh' ? `${HOST_PREFIX}ssh` : name));
  return [...new Set(names.filter((name) => name.startsWith(HOST_PREFIX)))].map((name) =>
    name.slice(HOST_PREFIX.length),
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
