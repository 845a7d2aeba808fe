/** Runs texts of script/ in the shells that hosts have, as the control shell does: stdin empty, both outputs as one. */
import { spawn, spawnSync } from 'node:child_process';
import { TAKES_ALL } from './share.ts';

export interface ShellRun {
  code: number;
  output: string;
}

/**
 * The sh of Debian, the sh of others; with TOWLINE_TEST_ALL=1 that of small systems, too, which test/golden and
 * script-launch.test.ts always try. Those that are on this machine.
 */
export const SHELLS: readonly (readonly string[])[] = [
  ['dash'],
  ['bash', '--posix'],
  ...(TAKES_ALL ? [['busybox', 'sh']] : []),
].filter(([program = '']) => spawnSync(program, ['-c', 'true']).error === undefined);

/** Runs a text the way hosts do: as a subshell of a shell that reads it from stdin. */
export function runText(
  text: string,
  shell: readonly string[] = ['sh'],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ShellRun> {
  const [program = 'sh', ...args] = shell;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? -1, output: Buffer.concat(chunks).toString() }),
    );
    child.stdin.end(`main() {\n(\n${text}\n) </dev/null 2>&1\n}\nmain\n`);
  });
}

/** What a static checker says of a text; empty when it is content. */
export function complaints(checker: readonly string[], path: string): string {
  const [program = 'sh', ...args] = checker;
  const result = spawnSync(program, [...args, path], { encoding: 'utf8' });
  if (result.error !== undefined) throw result.error;
  return result.status === 0 ? '' : `${result.stdout}${result.stderr}`;
}
