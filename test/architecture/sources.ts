/** The sources of the house as text, and what each imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

export interface Source {
  /** Relative to src/, with forward slashes: `domain/task.ts`. */
  path: string;
  text: string;
}

export interface Import {
  from: string;
  /** A path relative to src/ for a file of ours, else the package as it is written. */
  target: string;
  typeOnly: boolean;
}

/** Every TypeScript file under src/. */
export function readSources(): Source[] {
  const root = join(REPOSITORY, 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** What a file imports: import and export lines, side-effect imports, import() in code and in types. */
export function importsOf({ path, text }: Source): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const clause = String.raw`(?:[\w$]+|[\w$]+\s*,\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[\w$\s,]*\})?`;
  const statements = code.matchAll(
    new RegExp(
      String.raw`^\s*(?:import|export)(\s+type)?\s+${clause}\s*from\s*['"]([^'"\n]+)['"]`,
      'gm',
    ),
  );
  const effects = code.matchAll(/^\s*import\s*['"]([^'"\n]+)['"]/gm);
  const calls = code.matchAll(/\bimport\s*\(\s*['"`]([^'"`\n]+)['"`]/g);
  return [
    ...[...statements].map(([, type, target = '']) => ({ target, typeOnly: type !== undefined })),
    ...[...effects, ...calls].map(([, target = '']) => ({ target, typeOnly: false })),
  ].map(({ target, typeOnly }) => ({
    from: path,
    target: target.startsWith('.') ? normalize(join(dirname(path), target)) : target,
    typeOnly,
  }));
}

/** The room a path relative to src/ is in; a file directly under src/ is a room of its own. */
export function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}
