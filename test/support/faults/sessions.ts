/** The processes that one sshd of a test has for its sessions in vm2: sshd-session, sftp-server and control shells. */
import { onHost } from '../bed.ts';

/** What runs below the sshd of a port; detached tasks do not, they were given away when they started. */
const BELOW = `
listener=$(pgrep -o -f "bed-sshd/$1/sshd_config .*listener")
below() { for child in $(pgrep -P "$1"); do echo "$child"; below "$child"; done; }
below "$listener" | while read -r pid; do
  read -r name <"/proc/$pid/comm" 2>/dev/null && case $name in sshd-session | sftp-server | sh) echo "$pid" ;; esac
done`;

export async function sessionPids(port: number): Promise<number[]> {
  const text = await onHost('vm2', 'sh', '-c', BELOW, 'sh', String(port));
  return text.trim().split('\n').filter(Boolean).map(Number);
}

/** Those that are gone already are passed over. */
export async function signalSessions(pids: readonly number[], signal: string): Promise<void> {
  if (pids.length === 0) return;
  const kill = `kill -${signal} "$@" 2>/dev/null; true`;
  await onHost('vm2', 'sh', '-c', kill, 'sh', ...pids.map(String));
}
