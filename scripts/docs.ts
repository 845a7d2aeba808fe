/**
 * Writes the generated documents from the sources that know: node scripts/docs.ts [--check].
 * With --check nothing is written; files that drifted are named and the exit code is 1.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateCliReference } from './docs/cli.ts';
import { configurationMarkdown, exampleIni } from './docs/configuration.ts';
import { errorsMarkdown } from './docs/errors.ts';
import { eventsMarkdown } from './docs/events.ts';
import { generateOpenApi } from './docs/openapi.ts';
import { generateWorkflowSchema } from './docs/workflow-schema.ts';

interface Generator {
  /** Relative to the repository. */
  path: string;
  build: () => string | Promise<string>;
}

export const GENERATORS: readonly Generator[] = [
  { path: 'docs/errors.md', build: errorsMarkdown },
  { path: 'docs/events.md', build: eventsMarkdown },
  { path: 'docs/configuration.md', build: configurationMarkdown },
  { path: 'docs/cli.md', build: generateCliReference },
  { path: 'docs/openapi.json', build: generateOpenApi },
  { path: 'docs/workflow.schema.json', build: generateWorkflowSchema },
  { path: 'config/towline.example.ini', build: exampleIni },
];

const ROOT = join(import.meta.dirname, '..');

/** The paths whose content differs from what the generators make now. */
export async function findDrift(generators: readonly Generator[], root: string): Promise<string[]> {
  const drifted = await Promise.all(
    generators.map(async ({ path, build }) => {
      const stored = await readFile(join(root, path), 'utf8').catch(() => undefined);
      return stored === (await build()) ? [] : [path];
    }),
  );
  return drifted.flat();
}

async function main(args: readonly string[]): Promise<number> {
  const drifted = await findDrift(GENERATORS, ROOT);
  if (args.includes('--check')) {
    for (const path of drifted)
      console.error(`${path} is not what the sources say; run: node scripts/docs.ts`);
    return drifted.length === 0 ? 0 : 1;
  }
  for (const { path, build } of GENERATORS.filter((generator) =>
    drifted.includes(generator.path),
  )) {
    await writeFile(join(ROOT, path), await build());
    console.log(`wrote ${path}`);
  }
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
