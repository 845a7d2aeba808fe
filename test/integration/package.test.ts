/**
 * Goal: the package has what scripts need of `towline/client`, and its types are real ones. Method: packed and
 * unpacked as an installation would do it, away from the checkout; the example is compiled and started there.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPO } from '../support/bed.ts';
import { isBuilt } from '../support/daemon.ts';

const run = promisify(execFile);
/** What the types of the package speak of; a script of a user has the first one anyway. */
const NEEDED = ['@types/node', 'zod'];

let directory: string;

beforeAll(async () => {
  if (!isBuilt()) throw new Error('dist is older than the sources: npm run build');
  directory = mkdtempSync(join(tmpdir(), 'towline-package-'));
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory];
  const { stdout } = await run('npm', pack, { cwd: REPO });
  const installed = join(directory, 'node_modules/towline');
  mkdirSync(installed, { recursive: true });
  await run('tar', [
    '-xzf',
    join(directory, stdout.trim()),
    '-C',
    installed,
    '--strip-components=1',
  ]);
  for (const name of NEEDED) {
    mkdirSync(join(directory, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(REPO, 'node_modules', name), join(directory, 'node_modules', name));
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  cpSync(join(installed, 'examples/clients/pipeline.ts'), join(directory, 'pipeline.ts'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const MISTAKES = `import { createClient, type TaskFailed, type TaskView } from 'towline/client';
const { run } = createClient();
// @ts-expect-error a key that no task has
await run({ image: 'docker://debian:12', command: ['date'], imagee: 'x' });
// @ts-expect-error a command is asked for
await run({ image: 'docker://debian:12' });
const task = await run({ image: 'docker://debian:12', command: 'date' }, { reject: false });
// @ts-expect-error bytes are no text
for await (const chunk of task.stdout) console.log(chunk.codePointAt(0));
const lines: string[] = [];
for await (const line of task.stdout.lines()) lines.push(line);
const end: TaskView = await task.done;
export const code: number | undefined = end.exitCode;
export const whatOf = (error: TaskFailed): string => \`\${error.code} \${error.exitCode} \${error.hint}\`;
`;

it('the TypeScript example compiles against the packed types, mistakes do not', async () => {
  writeFileSync(join(directory, 'mistakes.ts'), MISTAKES);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    // our own declarations are looked at too
    skipLibCheck: false,
    noEmit: true,
  };
  const files = ['pipeline.ts', 'mistakes.ts'];
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiled = await run(join(REPO, 'node_modules/.bin/tsc'), ['-p', directory]).catch(
    (error: unknown) => error,
  );
  expect(compiled).toMatchObject({ stdout: '' });
});

it('runs from the package, and says what to do without a daemon', async () => {
  const ran = await run(process.execPath, ['pipeline.ts'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, TOWLINE_SOCKET: 'no.sock' },
  }).catch((error: unknown) => error);
  expect(ran).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^DAEMON_NOT_RUNNING: no daemon: there is no socket \S+no\.sock\nhint: start it: towline daemon\n$/,
    ) as unknown,
  });
});
