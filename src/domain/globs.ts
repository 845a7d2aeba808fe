/** Patterns of paths, as `path.matchesGlob` takes them. Pure. */

const GLOB = /[*?[{]/;

/** True when the path is a pattern: it can mean several. */
export function hasGlob(path: string): boolean {
  return GLOB.test(path);
}

/** The directory in which a pattern begins: the parts before the first one with a special character; `.` for none. */
export function globBase(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex(hasGlob);
  return parts.slice(0, first).join('/') || '.';
}
