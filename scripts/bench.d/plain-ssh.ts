/** OpenSSH to the bed's host as people use it: one connection (ControlMaster) that all commands share. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BED, SSH_PORT } from '../../test/support/bed.ts';

const execute = promisify(execFile);
const OUTPUT_MAX = 64 * 1024 * 1024;

export interface PlainSsh extends AsyncDisposable {
  /** Words before the command, for tools that call ssh themselves. */
  readonly options: readonly string[];
  readonly destination: string;
  run(...command: string[]): Promise<string>;
  /** With its stdout as a pipe. */
  spawn(...command: string[]): ChildProcess;
}

/** The connection is there when it resolves. `dir` holds its socket. */
export async function openSsh(dir: string): Promise<PlainSsh> {
  const options = optionsOf(join(dir, 'ssh'));
  const destination = 'alice@127.0.0.1';
  const run = async (...command: string[]): Promise<string> => {
    const words = [...options, destination, ...command];
    return (await execute('ssh', words, { maxBuffer: OUTPUT_MAX })).stdout;
  };
  await run('true');
  return {
    options,
    destination,
    run,
    spawn: (...command) =>
      spawn('ssh', [...options, destination, ...command], { stdio: ['ignore', 'pipe', 'inherit'] }),
    async [Symbol.asyncDispose]() {
      await execute('ssh', [...options, '-O', 'exit', destination]).catch(() => undefined);
    },
  };
}

function optionsOf(control: string): string[] {
  const options = {
    ControlMaster: 'auto',
    ControlPath: control,
    ControlPersist: '300',
    UserKnownHostsFile: join(BED, 'known_hosts'),
    BatchMode: 'yes',
  };
  const words = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return ['-F', 'none', '-i', join(BED, 'id_ed25519'), '-p', SSH_PORT, ...words];
}
