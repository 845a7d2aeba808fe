/** This machine as a host where no section says anything of it. */
import { homedir } from 'node:os';
import type { HostConfig } from './config.ts';
import { pickWinners, resolveConfig } from './resolve.ts';

/** The name by which `image_from` means this machine. */
export const THIS_MACHINE = 'local';

/** The host that a section [host.local] with nothing but `type = local` would make. */
export function thisMachine(env: Readonly<Record<string, string | undefined>>): HostConfig {
  const place = { file: '', line: 0 };
  const section = `host.${THIS_MACHINE}`;
  const winners = pickWinners([{ place, section, key: 'type', value: 'local' }]);
  const declared = { winners, hostNames: [THIS_MACHINE], sections: [section], files: [] };
  const config = resolveConfig(declared, { env, home: env['HOME'] ?? homedir() });
  return config.hosts[THIS_MACHINE] as HostConfig;
}
