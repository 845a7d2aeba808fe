/** What the known_hosts files of a host say about it, read now: Towline's own file first, then those configured. */
import { readFile } from 'node:fs/promises';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import type { HostSettings } from '../settings.ts';
import { knownHostsName } from './host-pattern.ts';
import { type HostPins, type KnownHostsFile, pinsForName } from './known-hosts.ts';

/** @throws SSH_KNOWN_HOSTS_UNREADABLE; a file that is not there is empty */
export async function readPins(settings: HostSettings, context: ErrorContext): Promise<HostPins> {
  const { name, knownHostsFiles, trustedKeysFile } = settings;
  const files: KnownHostsFile[] = [];
  const paths = [...(trustedKeysFile === undefined ? [] : [trustedKeysFile]), ...knownHostsFiles];
  for (const path of new Set(paths)) {
    try {
      files.push({ path, text: await readFile(path, 'utf8') });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      const message = `known_hosts of host ${name}: ${(error as Error).message}`;
      throw new AppError('SSH_KNOWN_HOSTS_UNREADABLE', message, { context, cause: error });
    }
  }
  return pinsForName(files, pinName(settings));
}

/** The name under which the host stands in known_hosts; an alias stands alone, without a port. */
export function pinName({ hostKeyAlias, hostname, port }: HostSettings): string {
  return hostKeyAlias?.toLowerCase() ?? knownHostsName(hostname, port);
}
