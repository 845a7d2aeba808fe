/** The plain tools in the race of staging, each over a ControlMaster that is up already. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BED } from '../../test/support/bed.ts';

const execute = promisify(execFile);
const REMOTE = 'bench-staging';

export const TOOLS = ['tar', 'rsync', 'scp', 'sftp'] as const;
export type Tool = (typeof TOOLS)[number];

/** Each copies `name` of the local directory into a directory of its own there, or back from it; gives milliseconds. */
export interface Tools extends AsyncDisposable {
  /** Nothing of earlier rounds is there. */
  clear(): Promise<void>;
  up(tool: Tool, name: string): Promise<number>;
  down(tool: Tool, name: string): Promise<number>;
}

export async function toolsOver(port: number, dir: string): Promise<Tools> {
  const control = join(dir, `control-${port}`);
  const options = Object.entries({
    ControlMaster: 'auto',
    ControlPath: control,
    ControlPersist: '600',
    UserKnownHostsFile: join(BED, 'known_hosts'),
    HostKeyAlias: `[127.0.0.1]:${process.env['TOWLINE_BED_SSH_PORT'] ?? '2210'}`,
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const common = ['-F', 'none', '-i', join(BED, 'id_ed25519'), ...options];
  const ssh = ['ssh', ...common, '-p', String(port), 'alice@127.0.0.1'];
  const remoteShell = ['ssh', ...common, '-p', String(port)].join(' ');
  const on = (command: string) => execute(ssh[0] ?? '', [...ssh.slice(1), command]);
  await on('true');

  const sftp = (command: string) =>
    piped(
      `printf '%s\\n' "$1" | sftp -q ${quoted(common)} -P ${port} -b - alice@127.0.0.1`,
      command,
    );
  const rsync = (from: string, to: string) => execute('rsync', ['-a', '-e', remoteShell, from, to]);
  const scp = (from: string, to: string) =>
    execute('scp', ['-q', '-r', ...common, '-P', String(port), from, to]);
  const far = (path: string): string => `alice@127.0.0.1:${path}`;
  /** `here` and `there` are directories. */
  const acts: Record<
    'up' | 'down',
    Record<Tool, (name: string, here: string, there: string) => Promise<unknown>>
  > = {
    up: {
      tar: (name, here, there) =>
        piped(`tar cf - -C "$1" "$2" | ${quoted(ssh)} "tar xf - -C '$3'"`, here, name, there),
      rsync: (name, here, there) => rsync(join(here, name), far(`${there}/`)),
      scp: (name, here, there) => scp(join(here, name), far(`${there}/`)),
      sftp: (name, here, there) => sftp(`put -r ${join(here, name)} ${there}/${name}`),
    },
    down: {
      tar: (name, here, there) =>
        piped(`${quoted(ssh)} "tar cf - -C '$3' '$2'" | tar xf - -C "$1"`, here, name, there),
      rsync: (name, here, there) => rsync(far(`${there}/${name}`), `${here}/`),
      scp: (name, here, there) => scp(far(`${there}/${name}`), `${here}/`),
      sftp: (name, here, there) => sftp(`get -r ${there}/${name} ${here}/${name}`),
    },
  };
  const timed = async (act: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await act();
    return performance.now() - began;
  };
  return {
    clear: async () => void (await on(`rm -rf ${REMOTE}`)),
    async up(tool, name) {
      const there = `${REMOTE}/${tool}`;
      await on(`mkdir -p ${there}`);
      return await timed(() => acts.up[tool](name, dir, there));
    },
    async down(tool, name) {
      const here = join(dir, `${tool}-down`);
      mkdirSync(here, { recursive: true });
      const took = await timed(() => acts.down[tool](name, here, `${REMOTE}/${tool}`));
      rmSync(here, { recursive: true, force: true });
      return took;
    },
    async [Symbol.asyncDispose]() {
      await on(`rm -rf ${REMOTE}`);
      await execute('ssh', [...ssh.slice(1, -1), '-O', 'exit', 'alice@127.0.0.1']).catch(() => {});
    },
  };
}

/** As words of a shell; none of them has a quote in it. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

/** Runs a line of shell with arguments. */
function piped(line: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-ec', line, 'bash', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${line} ended with ${code}: ${said}`)),
    );
  });
}
