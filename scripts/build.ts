/**
 * Makes dist/: one file for each way in and for each part that is loaded only when it is wanted, with the libraries in
 * them, because a daemon that reads 700 files starts twice as slowly; the types of the client beside them; and the
 * licences of what was taken in. Called by npm run build.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Two levels deep like the sources, so that a path from there to the repository is the same. */
const PARTS = 'parts';

const WAYS_IN = {
  main: 'src/main.ts',
  'client/public': 'src/client/public.ts',
  [`${PARTS}/worker`]: 'src/store/worker.ts',
  [`${PARTS}/thread`]: 'src/engine/disk/thread.ts',
};

/** They look for files beside their own, or load what may be missing. */
const LEFT_OUT = [/^pino$/, /^ssh2$/];

await build();

async function build(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
  const chunks = await bundle();
  writeFileSync(join(DIST, 'licences.txt'), licences(chunks));
}

async function bundle(): Promise<OutputChunk[]> {
  const made = await rolldown({
    cwd: ROOT,
    input: WAYS_IN,
    platform: 'node',
    external: LEFT_OUT,
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await made.write({
    dir: DIST,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${PARTS}/[name]-[hash].js`,
  });
  await made.close();
  return output.filter((part) => part.type === 'chunk');
}

function licences(chunks: readonly OutputChunk[]): string {
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  const packages = new Set(modules.map(packageOf).filter((name) => name !== undefined));
  return [...packages].sort().map(licence).join('\n');
}

/** Its path below the repository. */
function packageOf(file: string): string | undefined {
  return /^.*\bnode_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)?.[0];
}

function licence(path: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(path, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}
