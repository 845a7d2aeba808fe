/**
 * Goal: the table of rooms stays true. Method: the checker is shown planted violations of every kind
 * first, then the real sources; it also has to have seen them.
 */
import { describe, expect, it } from 'vitest';
import { findViolations } from './check-rooms.ts';
import { ROOMS } from './room-table.ts';
import { importsOf, readSources, roomOf } from './sources.ts';

/** Guards against a scan that finds nothing and is content; raise it as the house grows. */
const SOURCES_MIN = 50;
const IMPORTS_MIN = 150;

function violations(path: string, text: string): string[] {
  return findViolations([{ path, text }]);
}

describe('the checker', () => {
  it.each([
    ['a package', 'domain/x.ts', "import { z } from 'zod';"],
    ['a node module', 'script/x.ts', "import { readFileSync } from 'node:fs';"],
    ['a room above', 'domain/x.ts', "import { a } from '../store/store.ts';"],
    ['a type', 'domain/x.ts', "import type { A } from '../engine/service.ts';"],
    [
      'another file than the one allowed',
      'api/routes/x.ts',
      "import { a } from '../../engine/loop.ts';",
    ],
    ['more than a type', 'engine/x.ts', "import { a } from '../remote/host.ts';"],
    [
      'an import of several lines',
      'domain/x.ts',
      "import {\n  a,\n  b,\n} from '../store/store.ts';",
    ],
    ['a side effect', 'client/x.ts', "import 'fastify';"],
    ['a default', 'domain/x.ts', "import a from 'zod';"],
    ['a default and names', 'domain/x.ts', "import a, { b } from 'zod';"],
    ['a namespace', 'domain/x.ts', "import * as a from 'zod';"],
    ['a name that is only a type', 'domain/x.ts', "import { type A } from 'zod';"],
    ['a re-export', 'domain/x.ts', "export { a } from '../api/server.ts';"],
    ['a star', 'domain/x.ts', "export * from '../api/server.ts';"],
    ['import() in code', 'domain/x.ts', "const a = await import('ssh2');"],
    ['import() in a type', 'domain/x.ts', "type A = import('../store/store.ts').Store;"],
    ['a logger in a pure room', 'protocol/x.ts', "import type { Logger } from '../log.ts';"],
    ['a logger that is more than a type', 'store/x.ts', "import { createLog } from '../log.ts';"],
    ['more than a type of a package', 'api/x.ts', "import { z } from 'zod';"],
    ['a package of a scope', 'cli/x.ts', "import a from '@scope/a/b';"],
    ['a room without a row', 'attic/x.ts', ''],
    ['daemon.ts from within', 'cli/x.ts', "import { a } from '../daemon.ts';"],
    ['main.ts from within', 'engine/x.ts', "import { a } from '../main.ts';"],
  ])('finds %s', (_, path, text) => {
    expect(violations(path, text)).toHaveLength(1);
  });

  it('takes what is allowed', () => {
    const allowed = [
      {
        path: 'domain/x.ts',
        text: "import { a } from './y.ts';\n// import { b } from 'zod';\n/* import 'zod'; */",
      },
      {
        path: 'engine/steps/x.ts',
        text: "import type { Host } from '../../remote/host.ts';\nimport PQueue from 'p-queue';",
      },
      {
        path: 'remote/ssh/x.ts',
        text: "import { quote } from '../../script/quote.ts';\nimport 'ssh2';\nimport 'node:net';",
      },
      {
        path: 'store/x.ts',
        text: "import type { Logger } from '../log.ts';\nexport const from = 'zod';",
      },
      { path: 'api/x.ts', text: "import type { z } from 'zod';" },
      { path: 'config/x.ts', text: "import a, { type B } from 'node:fs/promises';" },
      { path: 'domain/y.ts', text: "export const a = Buffer.from(b).toString('hex');" },
      { path: 'main.ts', text: "import { a } from './engine/loop.ts';\nimport 'anything';" },
    ];
    expect(findViolations(allowed)).toEqual([]);
    expect(allowed.flatMap(importsOf)).toHaveLength(11);
  });
});

describe('the house', () => {
  const sources = readSources();

  it('imports only along the table', () => {
    expect(findViolations(sources)).toEqual([]);
  });

  it('was looked at', () => {
    expect(sources.length).toBeGreaterThan(SOURCES_MIN);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(IMPORTS_MIN);
    const rooms = new Set(sources.map(({ path }) => roomOf(path)));
    expect(
      ['domain', 'config', 'store', 'remote', 'protocol'].filter((room) => !rooms.has(room)),
    ).toEqual([]);
    expect(Object.keys(ROOMS)).toEqual(
      expect.arrayContaining([...rooms].filter((room) => !room.endsWith('.ts'))),
    );
  });
});
