/** Tells systemd where the daemon stands, through its own tool: Node has no datagram sockets. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const WORDS = { ready: '--ready', stopping: '--stopping' } as const;

/** Does nothing unless systemd asked for it by NOTIFY_SOCKET. A tool that is missing is no reason to fail. */
export async function tellServiceManager(state: keyof typeof WORDS): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  await promisify(execFile)('systemd-notify', [WORDS[state]]).catch((error: unknown) => {
    process.stderr.write(`towline: systemd-notify failed: ${String(error)}\n`);
  });
}
