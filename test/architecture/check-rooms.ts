/** Judges imports by the table of rooms. */
import { COMPOSITION_ROOT, LOOSE_FILES, ROOMS, WITHOUT_LOG } from './room-table.ts';
import { type Import, importsOf, roomOf, type Source } from './sources.ts';

/** One line for each forbidden import: `script/x.ts imports node:fs, which script may not`. */
export function findViolations(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !COMPOSITION_ROOT.includes(path))
    .flatMap((source) => {
      const room = roomOf(source.path);
      if (ROOMS[room] === undefined && LOOSE_FILES[room] === undefined) {
        return [`${source.path}: there is no room ${room} in room-table.ts`];
      }
      return importsOf(source)
        .filter((found) => !isAllowed(room, found))
        .map(
          ({ from, target, typeOnly }) =>
            `${from} imports ${target}, which ${room} may not${typeOnly ? ' (types count)' : ''}`,
        );
    });
}

function isAllowed(room: string, { target, typeOnly }: Import): boolean {
  const rules = ROOMS[room] ?? LOOSE_FILES[room] ?? { rooms: [], packages: [] };
  if (!target.endsWith('.ts')) return isAllowedPackage(rules.packages, target, typeOnly);
  if (roomOf(target) === room) return true;
  if (target === 'log.ts') return typeOnly && !WITHOUT_LOG.includes(room);
  return rules.rooms.some((rule) => {
    const path = rule.replace(/^type /, '');
    const inside = target === path || (!path.endsWith('.ts') && roomOf(target) === path);
    return inside && (typeOnly || !rule.startsWith('type '));
  });
}

function isAllowedPackage(packages: readonly string[], target: string, typeOnly: boolean): boolean {
  const [first = target, second] = target.split('/');
  const name = target.startsWith('@') ? `${first}/${second}` : first;
  if (typeOnly && packages.includes(`type ${name}`)) return true;
  return packages.includes(name) || (name.startsWith('node:') && packages.includes('node:*'));
}
