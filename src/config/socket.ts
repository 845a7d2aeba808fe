/**
 * Where a client may find the daemon. Reads the files with the scanner alone (no schema library, no
 * complaints): a client that only wants to talk shall start fast and not fail over a typo.
 */
import { defaultSocket, defaultStateDir, type Surroundings } from './computed.ts';
import { parseLocalPath } from './paths.ts';
import { type FileChoice, readFiles } from './read.ts';
import { type Entry, scanIni } from './scan.ts';

/**
 * The places to try, best first. The second and third are there because a daemon started by systemd
 * sees other variables than a shell does: towline@USER.service has its socket in /run/towline/USER.
 */
export function socketCandidates(options: FileChoice & { user: string }): string[] {
  const { env, home, user } = options;
  const around: Surroundings = { env, home };
  const entries = readFiles(options).sources.flatMap(
    ({ file, text }) => scanIni(file, text).entries,
  );
  const set = (key: string): string | undefined => {
    const entry: Entry | undefined = entries.findLast(
      (candidate) => candidate.section === 'daemon' && candidate.key === key,
    );
    const parsed = entry === undefined ? undefined : parseLocalPath(entry.value, home);
    return parsed !== undefined && 'value' in parsed ? parsed.value : undefined;
  };
  const socket = set('socket');
  if (socket !== undefined) return [socket];
  const stateDir = set('state_dir') ?? defaultStateDir(around).value;
  return [
    ...new Set([
      defaultSocket(around, stateDir).value,
      `/run/towline/${user}/towline.sock`,
      `${stateDir}/towline.sock`,
    ]),
  ];
}
