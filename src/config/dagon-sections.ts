/** The sections of a dagon.ini besides [ssh], and by what such a file is known. Loads no package. */

/** Nothing of Towline is called so: a file with one of these was written for DagOnStar. */
const TELLING = new Set(['dagon_service', 'dagon_ip', 'batch']);

/** What each is for here; those that are not named are read by dagon.ts. */
const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  dagon_service: 'Towline needs no such service: its daemon keeps the tasks itself',
  dagon_ip: 'Towline needs no address of this machine: hosts never connect to it',
  ftp_pub: 'files go over SFTP, through the SSH connection of the host',
  globus: 'files go over SFTP, through the SSH connection of the host',
  dynostore: 'outputs are delivered to this machine',
  ec2: 'Towline starts no machines; give each its own [host.NAME]',
  digitalocean: 'Towline starts no machines; give each its own [host.NAME]',
  gce: 'Towline starts no machines; give each its own [host.NAME]',
  loggers: 'the daemon logs JSON to stderr',
  handlers: 'the daemon logs JSON to stderr',
  formatters: 'the daemon logs JSON to stderr',
};
const PREFIXES: readonly (readonly [prefix: string, why: string])[] = [
  ['handler_', 'the daemon logs JSON to stderr'],
  ['formatter_', 'the daemon logs JSON to stderr'],
  ['logger_', 'the daemon has one logger'],
  ['llm.', 'Towline asks no language model'],
];
const READ = new Set(['batch', 'logger_root', 'slurm']);

/** True for a text that was written for DagOnStar: there its sections are no mistake. */
export function isDagonText(text: string): boolean {
  return [...text.matchAll(/^[ \t]*\[([^[\]\n]*)\]/gm)].some(([, name = '']) =>
    TELLING.has(name.trim()),
  );
}

/** True for a section that only a dagon.ini has. */
export function isDagonSection(name: string): boolean {
  return READ.has(name) || whyWithoutMeaning(name) !== undefined;
}

/** Why Towline does not use a section; undefined where it does, or knows it not. */
export function whyWithoutMeaning(name: string): string | undefined {
  if (READ.has(name)) return undefined;
  if (Object.hasOwn(WITHOUT_MEANING, name)) return WITHOUT_MEANING[name];
  return PREFIXES.find(([prefix]) => name.startsWith(prefix))?.[1];
}
