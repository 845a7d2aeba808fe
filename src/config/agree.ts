/** What no single line can be wrong about: values that do not fit each other. */

import { didYouMean } from '../domain/suggest.ts';
import type { Setting } from './check.ts';
import type { Config, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import { findPath } from './jump-path.ts';
import type { KeyTable } from './key-table.ts';
import { socketPathProblem } from './paths.ts';
import type { Problem } from './problem.ts';
import type { Winners } from './resolve.ts';
import type { Section } from './scan.ts';
import { HOST_PREFIX } from './section-names.ts';
import { THIS_MACHINE } from './this-machine.ts';

/** Everything in a resolved configuration that contradicts itself. */
export function disagreements(config: Config, winners: Winners): Problem[] {
  return [
    ...socketTooLong(config, winners),
    ...unknownDefaultHost(config, winners),
    ...Object.values(config.hosts).flatMap((host) => [
      ...sshKeysOfLocal(host, winners),
      ...backoffAboveCap(host, winners),
      ...userUnknown(host),
      ...badJump(config, host, winners),
      ...badImageSource(config, host, winners),
    ]),
  ];
}

/** A [ssh] section says where to connect, and does not repeat in other words what [host.ssh] says. */
export function sshSectionProblems(
  sections: readonly Section[],
  settings: readonly Setting[],
): Problem[] {
  const problems: Problem[] = [];
  const header = sections.find(({ name }) => name === 'ssh');
  const hostname = settings.some(
    ({ section, key }) => section === 'host.ssh' && key === 'hostname',
  );
  if (header !== undefined && !hostname) {
    const place = { file: header.file, line: header.line };
    problems.push({
      code: 'CONFIG_VALUE_INVALID',
      place,
      section: 'ssh',
      key: 'remote_ip',
      what: 'is missing',
    });
  }
  const seen = new Map<string, Setting>();
  for (const setting of settings.filter(({ section }) => section === 'host.ssh')) {
    const id = `${setting.place.file}\n${setting.key}`;
    const twin = seen.get(id);
    if (twin !== undefined)
      problems.push(
        invalid(setting, `was set on line ${twin.place.line} already, by [ssh] or [host.ssh]`),
      );
    seen.set(id, setting);
  }
  return problems;
}

function socketTooLong(config: Config, winners: Winners): Problem[] {
  const what = socketPathProblem(config.daemon.socket);
  if (what === undefined) return [];
  const setting = winners.get('daemon.socket');
  if (setting !== undefined) return [invalid(setting, what)];
  const source = config.sources['daemon.socket'];
  const because = source === 'default' ? 'from state_dir' : `from ${source}`;
  return [
    {
      code: 'CONFIG_VALUE_INVALID',
      section: 'daemon',
      key: 'socket',
      what: `${what} (this one is ${because})`,
    },
  ];
}

function unknownDefaultHost(config: Config, winners: Winners): Problem[] {
  const setting = winners.get('defaults.host');
  const name = config.defaults.host;
  if (setting === undefined || name === undefined || Object.hasOwn(config.hosts, name)) return [];
  return [
    invalid(
      setting,
      `there is no section [host.${name}]${didYouMean(name, Object.keys(config.hosts))}`,
    ),
  ];
}

function sshKeysOfLocal(host: HostConfig, winners: Winners): Problem[] {
  if (host.type !== 'local') return [];
  const table: KeyTable = HOST_KEYS;
  return Object.entries(table).flatMap(([key, row]) => {
    const setting = winners.get(`${HOST_PREFIX}${host.name}.${key}`);
    return row.sshOnly === true && setting !== undefined
      ? [invalid(setting, 'has no meaning for a host of type local; remove the line')]
      : [];
  });
}

function backoffAboveCap(host: HostConfig, winners: Winners): Problem[] {
  if (host.pullBackoffMs <= host.pullBackoffCapMs) return [];
  const section = `${HOST_PREFIX}${host.name}`;
  const setting =
    winners.get(`${section}.pull_backoff_cap`) ?? winners.get(`${section}.pull_backoff`);
  return setting === undefined
    ? []
    : [invalid(setting, 'pull_backoff is longer than pull_backoff_cap')];
}

function badJump(config: Config, host: HostConfig, winners: Winners): Problem[] {
  const setting = winners.get(`${HOST_PREFIX}${host.name}.jump`);
  const path = setting === undefined ? [] : findPath(config, host);
  if (setting === undefined || !('what' in path)) return [];
  const names = Object.keys(config.hosts);
  const meant = path.unknown === undefined ? '' : didYouMean(path.unknown, names);
  const advice =
    path.unknown === undefined || meant !== ''
      ? meant
      : '; a host without a section is written NAME:22';
  return [invalid(setting, `${path.what}${advice}`)];
}

function badImageSource(config: Config, host: HostConfig, winners: Winners): Problem[] {
  const setting = winners.get(`${HOST_PREFIX}${host.name}.image_from`);
  const name = host.imageFrom;
  if (setting === undefined || name === undefined) return [];
  if (name === host.name) return [invalid(setting, 'is the host itself')];
  if (name === THIS_MACHINE || Object.hasOwn(config.hosts, name)) return [];
  const meant = didYouMean(name, Object.keys(config.hosts));
  return [invalid(setting, `there is no section [host.${name}]${meant}`)];
}

function userUnknown(host: HostConfig): Problem[] {
  if (host.type !== 'ssh' || host.user !== '') return [];
  const what = 'is not set, and this machine does not say who you are; set it';
  return [
    { code: 'CONFIG_VALUE_INVALID', section: `${HOST_PREFIX}${host.name}`, key: 'user', what },
  ];
}

function invalid({ place, section, key }: Setting, what: string): Problem {
  return { code: 'CONFIG_VALUE_INVALID', place, section, key, what };
}
