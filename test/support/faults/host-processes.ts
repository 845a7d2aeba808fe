/**
 * Processes of a host of the bed, found by what is known of them (a mark in the environment, a parent) and signalled
 * by pid and start time together, so that nobody else's process is ever hit. All as root from outside.
 */
import { onHost } from '../bed.ts';

export interface HostProcess {
  pid: number;
  parent: number;
  /** Field 22 of /proc/PID/stat. */
  start: string;
  name: string;
  /** TOWLINE_* words of its environment. */
  marks: string[];
}

const LIST = `cat /proc/[0-9]*/stat
echo @marks
grep -zao '^TOWLINE_[A-Z]*=[^ ]*' /proc/[0-9]*/environ | tr '\\0' '\\n'`;

/** Lists all processes once. */
export async function listProcesses(host: string): Promise<HostProcess[]> {
  const [stats = '', marked = ''] = (
    await onHost(host, 'sh', '-c', `{ ${LIST}\n} 2>/dev/null; true`)
  ).split('@marks\n');
  const marks = new Map<number, string[]>();
  for (const line of marked.split('\n')) {
    const [, pid, mark] = /^\/proc\/(\d+)\/environ:(.*)$/.exec(line) ?? [];
    if (pid !== undefined && mark !== undefined)
      marks.set(Number(pid), [...(marks.get(Number(pid)) ?? []), mark]);
  }
  return stats.split('\n').flatMap((line) => {
    const [, pid, name, rest] = /^(\d+) \((.*)\) (.*)$/.exec(line) ?? [];
    if (pid === undefined || name === undefined || rest === undefined) return [];
    const fields = rest.split(' ');
    const [parent, start] = [Number(fields[1]), fields[19] ?? ''];
    return [{ pid: Number(pid), parent, start, name, marks: marks.get(Number(pid)) ?? [] }];
  });
}

/** Those that belong to one attempt's supervisor: itself, its shells and copiers. */
export function crewOf(processes: readonly HostProcess[], token: string): HostProcess[] {
  return processes.filter(({ marks }) => marks.includes(`TOWLINE_SUPERVISOR=${token}`));
}

/** The processes of an sshd that listens on a port of vm2 (startSshd) and all below it, the listener left out. */
export async function sessionsOf(host: string, port: number): Promise<HostProcess[]> {
  const find = `grep -lza 'bed-sshd/${port}/sshd_config' /proc/[0-9]*/cmdline 2>/dev/null; true`;
  const found = await onHost(host, 'sh', '-c', find);
  const processes = await listProcesses(host);
  const named = new Set(found.match(/\d+/g)?.map(Number));
  const below = new Set(
    processes.filter((one) => named.has(one.pid) && one.name === 'sshd').map((one) => one.pid),
  );
  const listeners = new Set(below);
  let grown = true;
  while (grown) {
    const next = processes.filter((one) => below.has(one.parent) && !below.has(one.pid));
    for (const { pid } of next) below.add(pid);
    grown = next.length > 0;
  }
  return processes.filter(({ pid }) => below.has(pid) && !listeners.has(pid));
}

const SIGNAL = `signal=$1; shift
for one; do
  read -r line <"/proc/\${one%:*}/stat" || continue
  set -- \${line##*) }
  [ "\${20}" != "\${one#*:}" ] || kill "-$signal" "\${one%:*}"
done 2>/dev/null
true`;

/** Sends a signal to those that still are who they were. */
export async function signal(
  host: string,
  name: 'KILL' | 'STOP' | 'CONT',
  processes: readonly Pick<HostProcess, 'pid' | 'start'>[],
): Promise<void> {
  if (processes.length === 0) return;
  const words = processes.map(({ pid, start }) => `${pid}:${start}`);
  await onHost(host, 'sh', '-c', SIGNAL, 'signal', name, ...words);
}
