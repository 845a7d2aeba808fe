/** Which sections there are. A name in brackets has no dot: the ini package would nest on it. */

import { shown } from '../domain/shown.ts';
import { nearest } from '../domain/suggest.ts';
import { type Problem } from './problem.ts';

export const FIXED_SECTIONS = ['daemon', 'defaults', 's3', 'ssh', 'tes'] as const;
export const HOST_PREFIX = 'host.';
/** Sections beside a [host.HOST]: `partition.HOST.NAME`. */
export const SLURM_PREFIXES = ['partition.', 'sbatch.'] as const;
/** The one section where a comment may follow a value: dagon.ini files are written so. */
export const COMMENTED_SECTION = 'ssh';

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** True for a name that `[host.NAME]` may have. */
export function isHostName(name: string): boolean {
  return HOST_NAME.test(name);
}

/** Why a section is refused, or undefined when Towline knows it. */
export function sectionProblem(name: string): Problem | undefined {
  if ((FIXED_SECTIONS as readonly string[]).includes(name)) return undefined;
  if (name.startsWith(HOST_PREFIX)) return hostProblem(name.slice(HOST_PREFIX.length));
  const beside = SLURM_PREFIXES.find((prefix) => name.startsWith(prefix));
  if (beside !== undefined) return besideProblem(name, beside);
  return {
    code: 'CONFIG_SECTION_UNKNOWN',
    what: `there is no section ${shown(name)}${suggestion(name)}`,
  };
}

function hostProblem(host: string): Problem | undefined {
  if (isHostName(host)) return undefined;
  const better =
    host.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '') || 'NAME';
  const dotted = /^[A-Za-z0-9.-]+$/.test(host) ? ` with the line: hostname = ${host}` : '';
  return {
    code: 'CONFIG_SYNTAX',
    what: `a host is named by letters, digits, - and _ only (at most 63): write [host.${better.slice(0, 63)}]${dotted}`,
  };
}

/** The section as the table of keys has it: `host.vm` is `host.NAME`. */
export function tableOf(name: string): string {
  if (name.startsWith(HOST_PREFIX)) return `${HOST_PREFIX}NAME`;
  const beside = SLURM_PREFIXES.find((prefix) => name.startsWith(prefix));
  return beside === undefined ? name : `${beside}HOST.NAME`;
}

/** The host that a section stands beside, and its own name. */
export function besideHost(
  section: string,
): { prefix: (typeof SLURM_PREFIXES)[number]; host: string; name: string } | undefined {
  const prefix = SLURM_PREFIXES.find((one) => section.startsWith(one));
  if (prefix === undefined) return undefined;
  const [host = '', name = ''] = section.slice(prefix.length).split('.');
  return { prefix, host, name };
}

function besideProblem(name: string, prefix: string): Problem | undefined {
  const parts = name.slice(prefix.length).split('.');
  if (parts.length === 2 && parts.every(isHostName)) return undefined;
  return {
    code: 'CONFIG_SYNTAX',
    what: `this section is written [${prefix}HOST.NAME], both of letters, digits, - and _ only`,
  };
}

function suggestion(name: string): string {
  const [head = '', ...rest] = name.split(/[.\s:]+/);
  const host = rest.join('-').replaceAll(/["']/g, '');
  if (rest.length === 0) {
    const known = nearest(name, [...FIXED_SECTIONS, 'host']);
    if (known !== undefined && known !== 'host') return `; did you mean [${known}]?`;
    if (known === undefined && isHostName(name)) return `; a host is written [host.${name}]`;
  }
  if (nearest(head, ['host']) !== undefined)
    return `; did you mean [host.${isHostName(host) ? host : 'NAME'}]?`;
  const beside = nearest(head, ['partition', 'sbatch']);
  if (beside !== undefined) return `; did you mean [${beside}.HOST.NAME]?`;
  return '; there are [daemon], [defaults], [host.NAME], [partition.HOST.NAME], [sbatch.HOST.NAME], [s3], [ssh] and [tes]';
}
