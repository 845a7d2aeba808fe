/**
 * The processes that one sshd of a test has for its sessions in vm2: sshd-session, sftp-server and control shells. What
 * tasks have left there is not among them: it was detached when it started.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BED_NAME } from '../bed.ts';

export interface Sessions extends AsyncDisposable {
  pids(): Promise<number[]>;
  /** Signals these, or all that there are, and gives the pids; those that are gone are passed over. */
  signal(name: 'KILL' | 'STOP' | 'CONT', pids?: readonly number[]): Promise<number[]>;
}

/** One shell that stays, so that a signal arrives within the state it is meant for. Answers a line for a line. */
const SHELL = `
listener=$(pgrep -o -f "bed-sshd/$1/sshd_config .*listener")
below() {
  for child in $(pgrep -P "$1"); do
    read -r name 2>/dev/null <"/proc/$child/comm" || continue
    case $name in sshd-session | sftp-server | sh) printf '%s ' "$child" ;; esac
    below "$child"
  done
}
while read -r signal pids; do
  pids=\${pids:-$(below "$listener")}
  [ "$signal" = 0 ] || [ -z "$pids" ] || kill -"$signal" $pids 2>/dev/null
  echo "$pids"
done`;

/** For the sshd on that port, which must have been started already. */
export function sessionsOf(port: number): Sessions {
  const command = ['exec', '-i', `${BED_NAME}-vm2`, 'sh', '-c', SHELL, 'sh', String(port)];
  const child = spawn('docker', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<number[]> => {
    child.stdin.write(`${line}\n`);
    const answer = (await answers.next()).value ?? '';
    return answer.split(' ').filter(Boolean).map(Number);
  };
  return {
    pids: () => ask('0'),
    signal: (name, pids = []) => ask([name, ...pids].join(' ')),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
