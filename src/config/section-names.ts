/** Which sections there are. A name in brackets has no dot: the ini package would nest on it. */

import { shown } from '../domain/shown.ts';
import { nearest } from '../domain/suggest.ts';
import { type Problem } from './problem.ts';

export const FIXED_SECTIONS = ['daemon', 'defaults', 'ssh'] as const;
export const HOST_PREFIX = 'host.';
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
  return '; there are [daemon], [defaults], [host.NAME] and [ssh]';
}
