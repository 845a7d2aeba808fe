// Loaded first by every process of a test run (scripts/test, by NODE_OPTIONS): each function of src/script that makes
// a whole script then keeps what it made, once by its shape, in the directory TOWLINE_KEEP_SCRIPTS. Plain JavaScript,
// the rest loaded when it is wanted: the many short processes of the tests must not start later for it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = process.env.TOWLINE_KEEP_SCRIPTS;
const require = createRequire(import.meta.url);
const seen = new Set();

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const IN_SCRIPT = /\/src\/script\/[\w-]+\.ts$/;
/** Where the build has them, among much else. */
const IN_BUILD = /\/dist\/parts\/[\w-]+\.js$/;
/** A maker or a whole script; the build ends equal names of several modules in $ and a number. */
const MAKER =
  /^(?:export )?(?:function (\w+(?:Text|Script))|const (PULL_JOB|KILLER))(\$\d+)?(?:\(| =)/gm;
/** What the build writes above each module. */
const MODULE = /^\/\/ ((?:src|node_modules)\/\S+)$/m;
/** Parts of scripts, and what is none. */
const NO_SCRIPT = ['commandText', 'hexText', 'imagesText', 'registriesText'];

/**
 * Gives the source of a module of src/script with its makers changed so that what they make is kept where anything is:
 * transformed sources are cached and used by other runs, too.
 */
export function keeping(source, path) {
  if (!IN_SCRIPT.test(path)) return source;
  return [source, ...keepingThese(source, makersOf(source))].join('\n');
}

/** The build has many modules in a file, and in others of them are makers of the same names that make no script. */
export function keepingBuilt(source) {
  const parts = source.split(MODULE);
  const lines = parts.flatMap((path, at) =>
    at % 2 === 1 && path.startsWith('src/script/')
      ? keepingThese(parts[at + 1], makersOf(readFileSync(join(ROOT, path), 'utf8')))
      : [],
  );
  return [source, ...lines].join('\n');
}

/** The names of those that the module gives to others. */
const makersOf = (source) =>
  [...source.matchAll(MAKER)]
    .filter(([line]) => line.startsWith('export '))
    .map(([, maker, text]) => maker ?? text)
    .filter((name) => !NO_SCRIPT.includes(name));

const keepingThese = (source, names) =>
  [...source.matchAll(MAKER)]
    .filter(([, maker, text]) => names.includes(maker ?? text))
    .map(([, maker, text, twin = '']) =>
      maker === undefined
        ? `globalThis.towlineKeep?.('${text}', ${text}${twin});`
        : `{ const make = ${maker}${twin}; ${maker}${twin} = (...all) => { const made = make(...all); globalThis.towlineKeep?.('${maker}', made); return made; }; }`,
    );

function keep(maker, text) {
  const { shapeOf } = require('./shape.ts');
  const key = createHash('sha256').update(shapeOf(text)).digest('hex').slice(0, 16);
  const name = join(directory, `${maker}.${key}.sh`);
  if (seen.has(name)) return;
  seen.add(name);
  if (!existsSync(name)) writeFileSync(name, text);
}

if (directory !== undefined) {
  globalThis.towlineKeep = keep;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (IN_SCRIPT.test(url))
        return { ...loaded, source: keeping(Buffer.from(loaded.source).toString(), url) };
      if (IN_BUILD.test(url))
        return { ...loaded, source: keepingBuilt(Buffer.from(loaded.source).toString()) };
      return loaded;
    },
  });
}
