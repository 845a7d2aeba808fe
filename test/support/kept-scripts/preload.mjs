// Loaded first by every process of a test run (scripts/test, by NODE_OPTIONS): each function of src/script that makes
// a whole script then keeps what it made, once by its shape, in the directory TOWLINE_KEEP_SCRIPTS. Plain JavaScript,
// the rest loaded when it is wanted: the many short processes of the tests must not start later for it.
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';

const directory = process.env.TOWLINE_KEEP_SCRIPTS;
const require = createRequire(import.meta.url);
const seen = new Set();

const IN_SCRIPT = /\/(?:src|dist)\/script\/[\w-]+\.[jt]s$/;
const MAKER = /^export (?:function (\w+(?:Text|Script))\(|const (PULL_JOB|KILLER) =)/gm;
/** Parts of scripts, and what is none. */
const NO_SCRIPT = ['commandText', 'hexText', 'imagesText', 'registriesText'];

/**
 * Gives the source of a module of src/script with its makers changed so that what they make is kept where anything is:
 * transformed sources are cached and used by other runs, too.
 */
export function keeping(source, path) {
  if (!IN_SCRIPT.test(path)) return source;
  const lines = [...source.matchAll(MAKER)]
    .map(([, maker, text]) => [maker, text])
    .filter(([maker]) => !NO_SCRIPT.includes(maker))
    .map(([maker, text]) =>
      maker === undefined
        ? `globalThis.towlineKeep?.('${text}', ${text});`
        : `{ const make = ${maker}; ${maker} = (...all) => { const made = make(...all); globalThis.towlineKeep?.('${maker}', made); return made; }; }`,
    );
  return [source, ...lines].join('\n');
}

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
      if (!IN_SCRIPT.test(url)) return loaded;
      return { ...loaded, source: keeping(Buffer.from(loaded.source).toString(), url) };
    },
  });
}
