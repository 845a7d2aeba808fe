/** The test bed as tests see it: its hosts, its logs, its oracles. `scripts/testbed up` makes it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const REPO = join(import.meta.dirname, '../..');
export const BED = join(REPO, '.testbed');
/** A second bed beside the first has its own name and ports, as for scripts/testbed. */
export const BED_NAME = process.env['TOWLINE_BED_NAME'] ?? 'towline';
export const SSH_PORT = process.env['TOWLINE_BED_SSH_PORT'] ?? '2210';
export const REGISTRY_PORT = process.env['TOWLINE_BED_REGISTRY_PORT'] ?? '5010';
export const MINI = 'docker://registry:5000/mini:1';

/** Fails with the next step when the bed is not there: no test may skip for lack of it. */
export function requireBed(): void {
  if (existsSync(join(BED, 'towline.ini'))) return;
  throw new Error('the test bed is not up: run scripts/testbed up');
}

const run = promisify(execFile);

/** Runs a command as root inside a host of the bed and gives its stdout. */
export async function onHost(host: string, ...command: string[]): Promise<string> {
  const { stdout } = await run('docker', ['exec', `${BED_NAME}-${host}`, ...command], {
    maxBuffer: 64 << 20,
  });
  return stdout;
}

/** Runs scripts/testbed with arguments. */
export async function testbed(...args: string[]): Promise<string> {
  const { stdout } = await run(join(REPO, 'scripts/testbed'), args);
  return stdout;
}

/** A log of the bed by name: sshd, registry. */
export function bedLog(name: string): string {
  return readFileSync(join(BED, 'log', `${name}.log`), 'utf8');
}
