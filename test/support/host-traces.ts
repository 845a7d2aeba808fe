/**
 * What lives on a host of the bed, seen as root: every process with its environment and the mounts of
 * its namespace. Links of SSH and what runs in them come and go by themselves and are left out, and so
 * is what carries the mark of an attempt of somebody else's test.
 */
import { onHost } from './bed.ts';

interface Process {
  key: string;
  words: string;
  /** The attempt, supervisor or pull whose mark its environment carries. */
  mark: string;
  mounts: string;
}

export interface Traces {
  processes: Map<string, Process>;
}

/** Fields of /proc/PID/stat are counted after the last parenthesis: a name may hold anything. */
const LOOK = `for p in /proc/[0-9]*; do
  stat=$(cat "$p/stat") || continue
  set -- \${stat##*) }
  pid=\${p#/proc/} parent=$2 session=$4 start=\${20}
  words=$(tr '\\0\\n|' '   ' <"$p/cmdline")
  marks=$(tr '\\0' '\\n' <"$p/environ" | grep -aE '^(APPTAINERENV_)?TOWLINE_' | tr '\\n' ' ')
  mounts=$(sha256sum <"$p/mountinfo")
  read -r name <"$p/comm"
  printf '%s\\n' "$pid $parent $session $start|$words|$marks|$mounts|$name"
done 2>/dev/null`;

/** Looks once. */
export async function lookAt(host: string, isOurs: (mark: string) => boolean): Promise<Traces> {
  const rows = (await onHost(host, 'sh', '-c', LOOK)).split('\n').flatMap((line) => {
    const [numbers = '', words = '', mark = '', mounts = '', name = ''] = line.split('|');
    const [pid, parent, session, start] = numbers.split(' ').map(Number);
    if (pid === undefined || start === undefined || !Number.isInteger(start)) return [];
    return [{ pid, parent: parent ?? 0, session: session ?? 0, start, words, mark, mounts, name }];
  });
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const isLink = (pid: number): boolean => {
    const row = byPid.get(pid);
    if (row === undefined) return false;
    // A command of docker exec has no parent that can be seen; pid 1 is the host itself.
    if (row.name === 'sshd-session' || row.name === 'sshd-auth' || (row.parent === 0 && pid !== 1))
      return true;
    const leader = byPid.get(row.session);
    return (
      leader !== undefined &&
      leader.pid !== 1 &&
      (leader === row ? isLink(row.parent) : isLink(leader.pid))
    );
  };
  const processes = new Map<string, Process>();
  for (const { pid, start, words, mark, mounts } of rows) {
    if (isLink(pid) || (mark !== '' && !isOurs(mark))) continue;
    const key = `${pid}.${start}`;
    processes.set(key, { key, words, mark, mounts });
  }
  return { processes };
}

/** What is there now and was not before, or has other mounts than before; one line each. */
export function newIn(before: Traces, after: Traces): string[] {
  return [...after.processes.values()]
    .filter(({ key, mounts }) => before.processes.get(key)?.mounts !== mounts)
    .map(({ key, words, mark }) => `${key} ${words} ${mark}`);
}
